import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { z } from 'zod';
import type { Topic } from '../../api/events.ts';
import type { Task } from '../../api/tasks.ts';
import { commandLine } from '../../base/command-line.ts';
import type { Layout } from '../../data/layout.ts';
import { sourceKind } from '../../data/sources/open.ts';
import { decidedLayout, realPath } from '../../services/import.ts';
import { problemKinds } from '../../services/problems.ts';
import { hasChanged, removeSource, restoreSource, sourceContent, stillAtWork } from '../../services/removed-sources.ts';
import { requireSource } from '../../services/require.ts';
import { lookAtSource } from '../../services/source-look.ts';
import type { Source } from '../../storage/records.ts';
import { implement } from '../handlers.ts';
import type { ServedProject } from '../open-projects.ts';
import type { Service } from '../service.ts';

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
    return scan(service, served, source, layout);
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

  'GET /api/projects/{project}/sources/removed': ({ service, params }) => {
    const { store } = service.projects.get(params.project).project;
    const images = store.images.countBySource();
    return store.sources.all().flatMap(({ id, kind, path, removedAt }) => {
      if (removedAt === null) return [];
      return [{ id, kind, path, removedAt, lost: !existsSync(path), images: images.get(id) ?? 0 }];
    });
  },

  'GET /api/projects/{project}/sources/{source}/content': ({ service, params }) =>
    sourceContent(service.projects.get(params.project).project, params.source),

  'POST /api/projects/{project}/sources/{source}/remove': ({ service, params }) => {
    const served = service.projects.get(params.project);
    const source = requireSource(served.project.store, params.source);
    if (isQueued(service, served, source)) throw stillAtWork(source);
    const content = removeSource(served.project, source.id);
    service.hub.publish({ type: 'data', project: served.id, topics: [...CONTENT] });
    return content;
  },

  'POST /api/projects/{project}/sources/{source}/restore': async ({ service, params }) => {
    const served = service.projects.get(params.project);
    const content = restoreSource(served.project, params.source);
    service.hub.publish({ type: 'data', project: served.id, topics: [...CONTENT] });
    const source = requireSource(served.project.store, params.source);
    const changed = service.access.allows(source.path) && (await hasChanged(served.project, source.id));
    return { ...content, scan: changed ? scan(service, served, source, 'auto') : null };
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

/** What changes when a source goes or comes. */
const CONTENT: readonly Topic[] = ['sources', 'images', 'classes', 'problems', 'contexts'];

/** Queue a scan of a source. */
function scan(service: Service, served: ServedProject, { id, path }: Source, layout: Layout | 'auto'): Task {
  const words = layout === 'auto' ? ['source', 'rescan', String(id)] : ['import', path, '--layout', layout];
  return service.tasks.add(served, {
    kind: 'import',
    title: `Scan ${basename(path)} again`,
    params: { sourceId: id, layout },
    command: commandLine(['contexture', ...words, '--project', served.file]),
  });
}

/** What tasks that import or relink say of their source. */
const AboutSource = z.object({ sourceId: z.number().optional(), path: z.string().optional() });

/** Whether a task that imports or relinks a source waits or is at work. */
function isQueued(service: Service, served: ServedProject, { id, path }: Source): boolean {
  return service.tasks.open(served.id).some(({ kind, params }) => {
    if (kind !== 'import' && kind !== 'relink') return false;
    const about = AboutSource.parse(params);
    return about.sourceId === id || (about.path !== undefined && realPath(about.path) === realPath(path));
  });
}
