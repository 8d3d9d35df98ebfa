import { drawContexts, previewSwap, swapPicture } from '../../services/swap-preview.ts';
import { implement } from '../handlers.ts';
import { pictureAnswer, readerOf } from '../picture-answer.ts';

export const swapRoutes = implement({
  'GET /api/projects/{project}/bank/swap/draw': ({ service, params, query }) =>
    drawContexts(service.projects.get(params.project).project, query),

  'GET /api/projects/{project}/bank/swap/picture': async ({ service, params, query: { threshold, ...query } }) => {
    const served = service.projects.get(params.project);
    const mask = threshold === undefined ? ({ kind: 'soft' } as const) : ({ kind: 'binary', threshold } as const);
    return pictureAnswer(await swapPicture(served.project, { ...query, mask }, readerOf(service, served)));
  },

  'POST /api/projects/{project}/bank/swap': ({ service, params, body, signal }) =>
    previewSwap(service.projects.get(params.project).project, body, service.runJob, { signal }),
});
