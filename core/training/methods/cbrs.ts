import type { Method } from './method.ts';

/** Class-balanced re-sampling: every class equally often, from the first step on. */
export const cbrs: Method = {
  name: 'cbrs',
  title: 'Class-balanced re-sampling',
  summary: 'Every class equally often: the images of small classes are repeated.',
  looks: false,
  heads: ['uniform'],
  async step(tools) {
    tools.update(await tools.balanced());
  },
};
