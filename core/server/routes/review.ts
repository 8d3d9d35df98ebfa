import { basename } from 'node:path';
import type { ContextSelection } from '../../api/contexts.ts';
import type { Json } from '../../base/json.ts';
import { commandLine } from '../../base/command-line.ts';
import { UserError } from '../../base/errors.ts';
import { contextDetail, selectContexts } from '../../services/context-view.ts';
import { draftOf, draftValues, paint, redoStroke, settleDraft, undoStroke } from '../../services/drafts.ts';
import { requireContext } from '../../services/require.ts';
import { disputedMasks, uncomparedMasks } from '../../services/review-masks.ts';
import { reviewProgress } from '../../services/review.ts';
import { snap } from '../../services/snap.ts';
import type { Project } from '../../storage/project.ts';
import type { ImageRecord } from '../../storage/records.ts';
import { actOf } from '../act.ts';
import { atWork } from '../at-work.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';
import { binary } from '../sheet.ts';

/** Masks that are compared within a request: some tenths of a second. */
const FEW_MASKS = 16;

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

  'POST /api/projects/{project}/contexts/{context}/draft/snap': async ({ service, params, body }) => {
    const { project, files, thumbnails } = service.projects.get(params.project);
    const read = (image: ImageRecord): Promise<Uint8Array> =>
      thumbnails.original(image, () => files.read(image, (path) => service.access.check(path)));
    const change = await snap(project, params.context, body, read, actOf(service, project));
    tell(service, params, change);
    return change;
  },

  'GET /api/projects/{project}/review/progress': ({ service, params }) =>
    reviewProgress(service.projects.get(params.project).project.store),

  'GET /api/projects/{project}/review/disputed': ({ service, params, query, signal }) =>
    disputedMasks(service.projects.get(params.project).project, query.run, { signal }),

  'POST /api/projects/{project}/review/compare': ({ service, params, body: { run } }) => {
    const served = service.projects.get(params.project);
    if (uncomparedMasks(served.project, run).length <= FEW_MASKS) return { task: null };
    const asked: Record<string, Json> = run === undefined ? {} : { run };
    const added = {
      kind: 'compare-masks',
      title: 'Compare reviewed masks with a model',
      params: asked,
      command: commandLine(['contexture', 'bank', 'disputed', ...(run === undefined ? [] : ['--run', String(run)])]),
    } as const;
    return { task: atWork(service, served.id, added) ?? service.tasks.add(served, added) };
  },

  'POST /api/projects/{project}/contexts/morph': ({ service, params, body: { select, operation, amount } }) => {
    const served = service.projects.get(params.project);
    const ids = chosen(served.project, select);
    return service.tasks.add(served, {
      kind: 'morph',
      title: `Change ${ids.length === 1 ? 'a mask' : `${ids.length} masks`}: ${operation}`,
      params: { ids, operation, amount },
      command: commandLine([
        'contexture',
        'bank',
        'morph',
        operation,
        ...(ids.length <= 20 ? ids.map(String) : []),
        '--amount',
        String(amount),
        '--project',
        served.file,
      ]),
    });
  },

  'POST /api/projects/{project}/masks/import': ({ service, params, body: { path, format } }) => {
    const served = service.projects.get(params.project);
    const checked = service.access.check(path);
    return service.tasks.add(served, {
      kind: 'import-masks',
      title: `Read masks from ${basename(checked)}`,
      params: { path: checked, format },
      command: commandLine(['contexture', 'masks', 'import', checked, '--format', format, '--project', served.file]),
    });
  },

  'POST /api/projects/{project}/masks/export': ({ service, params, body: { select, ...body } }) => {
    const served = service.projects.get(params.project);
    const folder = service.access.check(body.folder);
    const ids = chosen(served.project, select);
    return service.tasks.add(served, {
      kind: 'export-masks',
      title: `Write ${ids.length === 1 ? 'a mask' : `${ids.length} masks`} to ${basename(folder)}`,
      params: { ids, folder, format: body.format },
      command: commandLine([
        'contexture',
        'masks',
        'export',
        folder,
        '--format',
        body.format,
        '--project',
        served.file,
      ]),
    });
  },
});

/** @throws UserError 'empty', or 'not-found' naming the first that is not there */
function chosen({ store }: Project, select: ContextSelection): number[] {
  const ids = 'ids' in select ? [...new Set(select.ids)] : selectContexts(store, select.filter).map(({ id }) => id);
  if (ids.length === 0) throw new UserError('empty', 'No context fits, so there is no mask.');
  for (const id of ids) requireContext(store, id);
  return ids;
}

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
