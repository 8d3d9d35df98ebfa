import { basename } from 'node:path';
import type { MayLook, FrozenView } from '../../services/export-view.ts';
import { settleDrafts } from '../../services/drafts.ts';
import { exportDefaults, exportDetail, freezeView, listExports, previewExport } from '../../services/export-view.ts';
import { exportCommand, verifyCommand } from '../../services/export-command.ts';
import { checkRecipe } from '../../services/export.ts';
import type { Project } from '../../storage/project.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';

export const exportRoutes = implement({
  'GET /api/projects/{project}/exports': ({ service, params }) =>
    listExports(service.projects.get(params.project).project, mayLook(service)),

  'GET /api/projects/{project}/exports/defaults': ({ service, params }) =>
    exportDefaults(service.projects.get(params.project).project),

  'POST /api/projects/{project}/exports/preview': async ({ service, params, body, signal }) => {
    const { project } = service.projects.get(params.project);
    const out = body.folder === null ? null : service.access.check(body.folder);
    const { recipe, samples, seed } = body;
    const wanted = { recipe, out, samples, seed };
    const preview = await previewExport(project, await viewOf(service, project), wanted, service.runJob, signal);
    return { ...preview, command: exportCommand(out ?? 'augmented', recipe, false) };
  },

  'POST /api/projects/{project}/exports': ({ service, params, body: { recipe, dryRun, ...body } }) => {
    const served = service.projects.get(params.project);
    const folder = service.access.check(body.folder);
    checkRecipe(recipe);
    return service.tasks.add(served, {
      kind: 'export',
      title: dryRun ? `Plan the export to ${basename(folder)}` : `Export to ${basename(folder)}`,
      params: { folder, recipe, dryRun },
      command: exportCommand(folder, recipe, dryRun),
    });
  },

  'GET /api/projects/{project}/exports/{export}': ({ service, params }) =>
    exportDetail(service.projects.get(params.project).project, params.export, mayLook(service)),

  'POST /api/projects/{project}/verifications': ({ service, params, body: { rebuild, ...body } }) => {
    const folder = service.access.check(body.folder);
    return service.tasks.add(service.projects.get(params.project), {
      kind: 'verify',
      title: `Verify ${basename(folder)}`,
      params: { folder, rebuild },
      command: verifyCommand(folder, rebuild),
    });
  },
});

const mayLook =
  (service: Service): MayLook =>
  (path) => {
    try {
      service.access.check(path);
      return true;
    } catch {
      return false;
    }
  };

/** Views that are frozen already; forgotten when what they hold changes. */
const frozen = new WeakMap<Service, Map<string, FrozenView>>();

/** The view in force: taking it costs a second at 100,000 images, and a preview is asked for at each keystroke. */
async function viewOf(service: Service, project: Project): Promise<FrozenView> {
  let views = frozen.get(service);
  if (!views) {
    const fresh = (views = new Map());
    frozen.set(service, fresh);
    service.hub.listen(undefined, ({ event }) => {
      if (['data', 'draft', 'projects'].includes(event.type)) fresh.clear();
    });
  }
  await settleDrafts(project);
  const known = views.get(project.store.info.id) ?? freezeView(project);
  views.set(project.store.info.id, known);
  return known;
}
