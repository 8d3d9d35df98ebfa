import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { UserError } from '../../base/errors.ts';
import { commandLine } from '../../base/command-line.ts';
import { sourceKind } from '../../data/sources/open.ts';
import { decidedLayout } from '../../services/import.ts';
import { problemKinds } from '../../services/problems.ts';
import { lookAtSource } from '../../services/source-look.ts';
import type { ProjectStore } from '../../storage/project-store.ts';
import type { Source } from '../../storage/records.ts';
import { implement } from '../handlers.ts';

export const sourceRoutes = implement({
  'GET /api/projects/{project}/sources': ({ service, params }) => {
    const { project } = service.projects.get(params.project);
    const { store } = project;
    const images = store.images.countBySource();
    return store.sources.list().map((source) => ({
      ...source,
      lost: !existsSync(source.path),
      layout: decidedLayout(project, source.id),
      images: images.get(source.id) ?? 0,
      problems: store.problems.page({ sourceId: source.id }, 0, 0).total,
    }));
  },

  'POST /api/projects/{project}/sources/look': ({ service, params, body: { path, layout }, signal }) => {
    const { project } = service.projects.get(params.project);
    return lookAtSource(project, { path: service.access.check(path), layout }, signal);
  },

  'POST /api/projects/{project}/imports': async ({ service, params, body: { path, layout } }) => {
    const served = service.projects.get(params.project);
    const checked = service.access.check(path);
    // What cannot be a source is refused here, where a person still looks at it.
    await sourceKind(checked);
    const by = layout === 'auto' ? [] : ['--layout', layout];
    return service.tasks.add(served, {
      kind: 'import',
      title: `Import ${basename(checked)}`,
      params: { path: checked, layout },
      command: commandLine(['contexture', 'import', checked, ...by, '--project', served.file]),
    });
  },

  'POST /api/projects/{project}/sources/{source}/rescan': ({ service, params, body: { layout } }) => {
    const served = service.projects.get(params.project);
    const source = requireSource(served.project.store, params.source);
    service.access.check(source.path);
    const words =
      layout === 'auto' ? ['source', 'rescan', String(source.id)] : ['import', source.path, '--layout', layout];
    return service.tasks.add(served, {
      kind: 'import',
      title: `Scan ${basename(source.path)} again`,
      params: { sourceId: source.id, layout },
      command: commandLine(['contexture', ...words, '--project', served.file]),
    });
  },

  'POST /api/projects/{project}/sources/{source}/relink': async ({ service, params, body: { path, all } }) => {
    const served = service.projects.get(params.project);
    const source = requireSource(served.project.store, params.source);
    const checked = service.access.check(path);
    await sourceKind(checked);
    const words = ['source', 'relink', String(source.id), checked, ...(all ? ['--all'] : [])];
    return service.tasks.add(served, {
      kind: 'relink',
      title: `Relink ${basename(checked)}`,
      params: { sourceId: source.id, path: checked, all },
      command: commandLine(['contexture', ...words, '--project', served.file]),
    });
  },

  'GET /api/projects/{project}/problems/kinds': ({ service, params, query }) =>
    problemKinds(service.projects.get(params.project).project.store, query.source),

  'GET /api/projects/{project}/problems': ({ service, params, query }) => {
    const { source, kind, severity, text, offset, limit } = query;
    const filter = {
      ...(source === undefined ? {} : { sourceId: source }),
      ...(kind === undefined ? {} : { kind }),
      ...(severity === undefined ? {} : { severity }),
      ...(text ? { text } : {}),
    };
    const { store } = service.projects.get(params.project).project;
    const { total, problems } = store.problems.page(filter, offset, limit);
    return { total, problems: problems.map(({ sourceId, ...problem }) => ({ ...problem, source: sourceId })) };
  },
});

function requireSource(store: ProjectStore, id: number): Source {
  const source = store.sources.get(id);
  if (!source) throw new UserError('not-found', `There is no source ${id} in this project.`);
  return source;
}
