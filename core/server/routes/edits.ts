import type { EditEntry } from '../../api/edits.ts';
import { isOfKind } from '../../data/duplicates.ts';
import { editText } from '../../data/edits.ts';
import {
  assignSplit,
  editHistory,
  excludeImages,
  includeImages,
  keepOne,
  makeLongTailed,
  mergeClasses,
  previewLongTail,
  previewSplit,
  redoEdit,
  relabelImages,
  undoEdit,
  type EditBy,
} from '../../services/edits.ts';
import { describeNear, findDuplicates, findNear } from '../../services/duplicates.ts';
import type { ProjectStore } from '../../storage/project-store.ts';
import type { Edit } from '../../storage/records.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import type { Service } from '../service.ts';

export const editRoutes = implement({
  'GET /api/projects/{project}/edits': ({ service, params, query }) =>
    editHistory(service.projects.get(params.project).project.store).toReversed().slice(0, query.limit),

  'POST /api/projects/{project}/edits/undo': ({ service, params, body }) =>
    edit(service, params.project, (store, { at }) => undoEdit(store, at, body.edit)),

  'POST /api/projects/{project}/edits/redo': ({ service, params, body }) =>
    edit(service, params.project, (store) => redoEdit(store, body.edit)),

  'POST /api/projects/{project}/edits/exclude': ({ service, params, body: { ids, reason } }) =>
    edit(service, params.project, (store, by) => excludeImages(store, ids, by, reason)),

  'POST /api/projects/{project}/edits/include': ({ service, params, body: { ids, reason } }) =>
    edit(service, params.project, (store, by) => includeImages(store, ids, by, reason)),

  'POST /api/projects/{project}/edits/relabel': ({ service, params, body }) =>
    edit(service, params.project, (store, by) =>
      relabelImages(store, body.ids, body.class, by, { create: body.create }),
    ),

  'POST /api/projects/{project}/edits/merge': ({ service, params, body: { classes, into } }) =>
    edit(service, params.project, (store, by) => mergeClasses(store, classes, into, by)),

  'POST /api/projects/{project}/edits/keep-one': ({ service, params, body: { kind, hashes, prefer, near } }) =>
    edit(service, params.project, (store, by) => {
      const wanted = hashes && new Set(hashes);
      const found = near ? describeNear(store, findNear(store)?.groups ?? []) : findDuplicates(store).groups;
      const groups = found.filter((group) => (!kind || isOfKind(group, kind)) && (!wanted || wanted.has(group.hash)));
      return keepOne(store, { groups, near, ...(prefer ? { prefer } : {}) }, by);
    }),

  'GET /api/projects/{project}/edits/split': ({ service, params }) => {
    const { images } = service.projects.get(params.project).project.store;
    return { val: images.hasFoundSplit('val'), test: images.hasFoundSplit('test') };
  },

  'POST /api/projects/{project}/edits/split': ({ service, params, body }) =>
    edit(service, params.project, (store, by) => assignSplit(store, body, by).edit),

  'POST /api/projects/{project}/edits/split/preview': ({ service, params, body }) => {
    const { plan, changes } = previewSplit(service.projects.get(params.project).project.store, body);
    return { classes: plan.classes, changes: changes.length };
  },

  'POST /api/projects/{project}/edits/long-tail': ({ service, params, body: { largest, ...options } }) =>
    edit(service, params.project, (store, by) => {
      return makeLongTailed(store, { ...options, ...(largest === undefined ? {} : { largest }) }, by).edit;
    }),

  'POST /api/projects/{project}/edits/long-tail/preview': ({ service, params, body: { largest, ...options } }) => {
    const { store } = service.projects.get(params.project).project;
    const plan = previewLongTail(store, { ...options, ...(largest === undefined ? {} : { largest }) });
    return { classes: plan.classes, excluded: plan.excluded.length };
  },
});

/** Make an edit and tell the pages. */
function edit(service: Service, projectId: string, work: (store: ProjectStore, by: EditBy) => Edit): EditEntry {
  const { id, project } = service.projects.get(projectId);
  const made = work(project.store, actOf(service, project));
  service.hub.publish({ type: 'data', project: id, topics: ['images', 'classes', 'edits'] });
  return { ...made, text: editText(made) };
}
