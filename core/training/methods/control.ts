import type { Method } from './method.ts';

/**
 * The lambda = 0 control: both streams and both heads of CSA, but no context laid on. What CSA gains over this is due to
 * the contexts and not to the second loss, head and stream (method.md 7.1, point 3).
 */
export const control: Method = {
  name: 'control',
  title: 'Control (two streams, lambda = 0)',
  summary: 'The two streams and heads of CSA without any context laid on.',
  looks: false,
  heads: ['uniform', 'balanced'],
  async step(tools) {
    const uniform = await tools.uniform();
    const balanced = await tools.balanced();
    tools.update(uniform, tools.balancedStarted ? balanced : undefined);
  },
};
