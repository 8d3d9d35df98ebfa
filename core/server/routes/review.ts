import type { Json } from '../../base/json.ts';
import { UserError } from '../../base/errors.ts';
import { contextDetail } from '../../services/context-view.ts';
import { draftOf, draftValues, paint, redoStroke, settleDraft, undoStroke } from '../../services/drafts.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';
import { binary } from '../sheet.ts';

export const reviewRoutes = implement({
  'GET /api/projects/{project}/contexts/{context}/draft': ({ service, params }) =>
    draftOf(service.projects.get(params.project).project, params.context),

  'GET /api/projects/{project}/contexts/{context}/draft/values': async ({ service, params }) => {
    const { revision, width, height, pixels } = await draftValues(
      service.projects.get(params.project).project,
      params.context,
    );
    const head = new Uint8Array(Uint32Array.of(revision, width, height).buffer);
    return binary(new Uint8Array(Buffer.concat([head, pixels])), 'application/octet-stream');
  },

  'POST /api/projects/{project}/contexts/{context}/draft/strokes': async ({ service, params, query, upload }) => {
    const { project } = service.projects.get(params.project);
    const { revision, tool, params: settings, ...region } = query;
    const painted = { revision, tool, params: fromJson(settings), region };
    const state = await paint(project, params.context, painted, upload, actOf(service, project));
    tell(service, params, state);
    return state;
  },

  'POST /api/projects/{project}/contexts/{context}/draft/undo': async ({ service, params, body: { revision } }) => {
    const change = await undoStroke(service.projects.get(params.project).project, params.context, revision);
    tell(service, params, change);
    return change;
  },

  'POST /api/projects/{project}/contexts/{context}/draft/redo': async ({ service, params, body: { revision } }) => {
    const change = await redoStroke(service.projects.get(params.project).project, params.context, revision);
    tell(service, params, change);
    return change;
  },

  'POST /api/projects/{project}/contexts/{context}/draft/settle': async ({ service, params, body: { revision } }) => {
    const { project } = service.projects.get(params.project);
    if (await settleDraft(project, params.context, revision)) {
      service.hub.publish({ type: 'data', project: params.project, topics: ['contexts'] });
    }
    return contextDetail(project.store, params.context);
  },
});

function fromJson(text: string): Json {
  try {
    return JSON.parse(text);
  } catch {
    throw new UserError('usage', '“params” of the query is not JSON.');
  }
}

function tell(
  service: Service,
  { project, context }: { project: string; context: number },
  { revision }: { revision: number },
): void {
  service.hub.publish({ type: 'draft', project, context, revision });
}
