import type { Method } from './method.ts';

/**
 * Context-shift augmentation (NeurIPS 2023, arXiv 2310.18236; method.md 1.2): the contexts of samples that the model is
 * sure of are kept in a bank and laid over the class-balanced stream.
 */
export const csa: Method = {
  name: 'csa',
  title: 'Context-shift augmentation',
  summary: 'Re-sampled images are laid under contexts cut from well-learned images.',
  looks: true,
  heads: ['uniform', 'balanced'],
  async step(tools) {
    const uniform = await tools.uniform();
    // Drawn even when it is not used, so that the control sees the very same batches.
    const balanced = await tools.balanced();
    const { masks, probability } = tools.extract(uniform);
    tools.countConfident(tools.contexts.offer(uniform.pixels, masks, uniform.labels, probability));
    if (tools.balancedStarted && tools.contexts.ready) tools.update(uniform, balanced, tools.contexts.draw());
    else tools.update(uniform);
  },
};
