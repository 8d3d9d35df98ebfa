import { adjustmentCurve, adjustmentPoint } from '../../services/adjustment.ts';
import { deleteVariant, listVariants, renameVariant, saveVariant } from '../../services/variants.ts';
import { implement, type HandlerContext } from '../handlers.ts';

export const variantRoutes = implement({
  'GET /api/projects/{project}/runs/{run}/adjustment': ({ service, params, query }) =>
    adjustmentCurve(service.projects.get(params.project).project, params.run, query),

  'GET /api/projects/{project}/runs/{run}/adjustment/point': ({ service, params, query }) =>
    adjustmentPoint(service.projects.get(params.project).project, params.run, query),

  'GET /api/projects/{project}/runs/{run}/variants': ({ service, params }) =>
    listVariants(service.projects.get(params.project).project, params.run),

  'POST /api/projects/{project}/runs/{run}/variants': async ({ service, params, body }) => {
    const variant = await saveVariant(service.projects.get(params.project).project, params.run, body);
    changed(service, params.project);
    return variant;
  },

  'PATCH /api/projects/{project}/variants/{variant}': ({ service, params, body }) => {
    const variant = renameVariant(service.projects.get(params.project).project, params.variant, body.name);
    changed(service, params.project);
    return variant;
  },

  'DELETE /api/projects/{project}/variants/{variant}': ({ service, params }) => {
    deleteVariant(service.projects.get(params.project).project, params.variant);
    changed(service, params.project);
    return {};
  },
});

function changed(service: HandlerContext['service'], project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['runs'] });
}
