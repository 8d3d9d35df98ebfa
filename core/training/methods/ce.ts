import type { Method } from './method.ts';

/** Plain training: every image once in each pass, cross entropy. */
export const ce: Method = {
  name: 'ce',
  title: 'Cross entropy',
  summary: 'Plain training: every image once in each pass.',
  looks: false,
  heads: ['uniform'],
  async step(tools) {
    tools.update(await tools.uniform());
  },
};
