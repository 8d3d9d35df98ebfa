import type { ContextSelection, MaskRule } from '../../api/contexts.ts';
import { UserError } from '../../base/errors.ts';
import { MaskLayers } from '../../data/mask-layers.ts';
import { countUses } from '../../services/bank.ts';
import {
  contextCounts,
  contextDetail,
  contextMask,
  contextModels,
  contextSaliency,
  describeContexts,
  selectContexts,
} from '../../services/context-view.ts';
import { decideContexts, putMask, restoreMask, undoContexts } from '../../services/contexts.ts';
import { settleDrafts } from '../../services/drafts.ts';
import { requireContext } from '../../services/require.ts';
import { fillDoubts } from '../../services/review.ts';
import type { Project } from '../../storage/project.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';
import { binary, packedIds, sheet } from '../sheet.ts';

/** Contexts that an event names one by one; of more, pages fetch their lists again. */
const MOST_SPELT_OUT = 500;

/** One for each open project. */
const layersOf = new WeakMap<Project, MaskLayers>();

export const contextRoutes = implement({
  'GET /api/projects/{project}/contexts/ids': async ({ service, params, query }) => {
    const { project } = service.projects.get(params.project);
    if (query.sort === 'gain') await fillDoubts(project);
    if (query.sort === 'uses' || query.used !== undefined) await countUses(project);
    return packedIds(selectContexts(project.store, query).flatMap(({ id, imageId }) => [id, imageId]));
  },

  'POST /api/projects/{project}/contexts/details': ({ service, params, body }) =>
    describeContexts(storeOf(service, params), body.ids),

  'GET /api/projects/{project}/contexts/counts': ({ service, params }) => contextCounts(storeOf(service, params)),

  'GET /api/projects/{project}/contexts/models': ({ service, params }) => contextModels(storeOf(service, params)),

  'POST /api/projects/{project}/contexts/sheet': async ({ service, params, body, signal }) => {
    const { project } = service.projects.get(params.project);
    const items = body.ids.map(async (id) => {
      try {
        signal.throwIfAborted();
        return { id, bytes: await layer(project, id, { layer: body.layer, size: body.size }) };
      } catch (error) {
        if (error instanceof UserError) return { id, bytes: null };
        throw error;
      }
    });
    return sheet(await Promise.all(items));
  },

  'GET /api/projects/{project}/contexts/{context}': ({ service, params }) =>
    contextDetail(storeOf(service, params), params.context),

  'GET /api/projects/{project}/contexts/{context}/mask': ({ service, params, query }) => {
    const { project } = service.projects.get(params.project);
    const { blob } = contextMask(project.store, params.context, query.version);
    return binary(new Uint8Array(project.blobs.get(blob)), 'image/png', { forever: query.version !== undefined });
  },

  'GET /api/projects/{project}/contexts/{context}/saliency': ({ service, params, query }) => {
    const { project } = service.projects.get(params.project);
    const { blob } = contextSaliency(project.store, params.context, query.version);
    return binary(new Uint8Array(project.blobs.get(blob)), 'image/png');
  },

  'GET /api/projects/{project}/contexts/{context}/layer': async ({ service, params, query }) => {
    const { project } = service.projects.get(params.project);
    const bytes = await layer(project, params.context, query);
    return binary(new Uint8Array(bytes), 'image/webp', { forever: query.version !== undefined });
  },

  'PUT /api/projects/{project}/contexts/{context}/mask': async ({ service, params, query, upload }) => {
    const { project } = service.projects.get(params.project);
    const file = { bytes: Buffer.from(upload), name: query.name };
    await putMask(project, params.context, file, actOf(service, project));
    told(service, params.project);
    return contextDetail(project.store, params.context);
  },

  'POST /api/projects/{project}/contexts/{context}/restore': async ({ service, params, body }) => {
    const { project } = service.projects.get(params.project);
    await restoreMask(project, params.context, body.mask, actOf(service, project));
    told(service, params.project);
    return contextDetail(project.store, params.context);
  },

  'POST /api/projects/{project}/contexts/decide': async ({ service, params, body: { select, state } }) => {
    const { project } = service.projects.get(params.project);
    const ids = chosen(project, select);
    // What is decided on is what was painted.
    const settled = await settleDrafts(project, ids);
    const changed = decideContexts(project, ids, state, actOf(service, project));
    if (settled.length > 0 || (changed > 0 && ids.length > MOST_SPELT_OUT)) told(service, params.project);
    else if (changed > 0) service.hub.publish({ type: 'decided', project: params.project, ids, state });
    return { changed, counts: contextCounts(project.store) };
  },

  'POST /api/projects/{project}/contexts/undo': ({ service, params }) => {
    const { project } = service.projects.get(params.project);
    const { kind, changed, kept } = undoContexts(project, actOf(service, project));
    told(service, params.project);
    return { kind, changed, kept, counts: contextCounts(project.store) };
  },

  'POST /api/projects/{project}/contexts/remask': ({ service, params, body: { select, rule } }) => {
    const served = service.projects.get(params.project);
    const ids = chosen(served.project, select);
    if (ids.length === 0) throw new UserError('empty', 'No context fits, so there is no mask to make.');
    for (const id of ids) requireContext(served.project.store, id);
    return service.tasks.add(served, {
      kind: 'remask',
      title: `Make ${ids.length === 1 ? 'a mask' : `${ids.length} masks`} anew`,
      params: { ids, rule },
      command: ['contexture bank remask', ...ruleOption(rule), ...(ids.length <= 20 ? ids : [])].join(' '),
    });
  },

  'POST /api/projects/{project}/context-searches': ({ service, params, body }) => {
    const { run, size, secondSize, mirror, rule, folds } = body;
    const served = service.projects.get(params.project);
    if (contextModels(served.project.store).length === 0) {
      throw new UserError('empty', 'No run has finished yet, so there is no model to find contexts with. Train one.');
    }
    const options = [
      run === undefined ? '' : `--run ${run}`,
      size === undefined ? '' : `--size ${size}`,
      secondSize === undefined ? '' : `--second-size ${secondSize}`,
      mirror === undefined ? '' : mirror ? '--mirror' : '--no-mirror',
      ...(rule === undefined ? [] : searchRule(rule)),
      folds === null ? '' : `--held-out ${folds}`,
    ];
    return service.tasks.add(served, {
      kind: 'contexts',
      title: run === undefined ? 'Find contexts' : `Find contexts with run ${run}`,
      params: {
        run: run ?? null,
        size: size ?? null,
        secondSize: secondSize ?? null,
        mirror: mirror ?? null,
        rule: rule ?? null,
        folds,
      },
      command: ['contexture contexts', ...options.filter((option) => option !== '')].join(' '),
    });
  },
});

function storeOf(service: Service, params: { project: string }): Project['store'] {
  return service.projects.get(params.project).project.store;
}

function chosen({ store }: Project, select: ContextSelection): number[] {
  return 'ids' in select ? [...new Set(select.ids)] : selectContexts(store, select.filter).map(({ id }) => id);
}

function ruleOption(rule: MaskRule): string[] {
  const cut = rule.form === 'soft' ? [] : [`--threshold ${rule.threshold}`];
  if (rule.refine === undefined) return cut;
  const { radius, epsilon, grain = 0 } = rule.refine;
  return [...cut, '--refine', `--refine-radius ${radius}`, `--refine-epsilon ${epsilon}`, `--refine-grain ${grain}`];
}

/** A search brings masks to the edges of photographs unless it is told not to. */
function searchRule(rule: MaskRule): string[] {
  return rule.refine === undefined ? [...ruleOption(rule), '--no-refine'] : ruleOption(rule);
}

function told(service: Service, project: string): void {
  service.hub.publish({ type: 'data', project, topics: ['contexts'] });
}

interface LayerWish {
  layer: 'mask' | 'outline' | 'saliency';
  /** Longer side, pixels. */
  size: number;
  version?: number | undefined;
}

function layer(project: Project, id: number, { layer: what, size, version }: LayerWish): Promise<Buffer> {
  const layers = layersOf.get(project) ?? new MaskLayers(project.blobs, project.cacheFolder);
  layersOf.set(project, layers);
  const mask = contextMask(project.store, id, version);
  const blob = what === 'saliency' ? contextSaliency(project.store, id, version).blob : mask.blob;
  return layers.get(blob, mask, { form: what === 'outline' ? 'outline' : 'area', size });
}
