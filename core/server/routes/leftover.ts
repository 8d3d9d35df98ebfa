import { commandLine } from '../../base/command-line.ts';
import { effectiveClasses } from '../../data/classes.ts';
import { UserError } from '../../base/errors.ts';
import { lookingRun } from '../../services/diversity.ts';
import { leftoverContexts, leftoverPicture, leftoverReport, markFine } from '../../services/leftover.ts';
import { actOf } from '../act.ts';
import { implement } from '../handlers.ts';
import { pictureAnswer, readerOf } from '../picture-answer.ts';

export const leftoverRoutes = implement({
  'POST /api/projects/{project}/bank/leftover': ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { store } = served.project;
    const { id: run } = lookingRun(served.project, body.run);
    const { unchecked, class: classId } = body;
    const name = classId === undefined ? undefined : effectiveClasses(store).get(classId)?.name;
    if (classId !== undefined && name === undefined) {
      throw new UserError('not-found', `There is no class ${classId} in this project.`);
    }
    return service.tasks.add(served, {
      kind: 'leftover',
      title: `Leftovers in the bank${name === undefined ? '' : `, ${name}`}, by run ${run}`,
      params: { run, unchecked, ...(classId === undefined ? {} : { class: classId }) },
      command: commandLine([
        'contexture',
        'bank',
        'leftover',
        '--check',
        '--run',
        String(run),
        ...(name === undefined ? [] : ['--class', name]),
        ...(unchecked ? ['--unchecked'] : []),
      ]),
    });
  },

  'GET /api/projects/{project}/bank/leftover': ({ service, params, query }) =>
    leftoverReport(service.projects.get(params.project).project, query.run),

  'GET /api/projects/{project}/bank/leftover/contexts': ({
    service,
    params,
    query: { run, class: classId, ...page },
  }) =>
    leftoverContexts(service.projects.get(params.project).project, run, {
      ...page,
      ...(classId === undefined ? {} : { classId }),
    }),

  'GET /api/projects/{project}/bank/leftover/contexts/{context}/picture': async ({ service, params, query }) => {
    const served = service.projects.get(params.project);
    const read = readerOf(service, served);
    return pictureAnswer(await leftoverPicture(served.project, query.run, params.context, query, read));
  },

  'POST /api/projects/{project}/bank/leftover/fine': async ({ service, params, body: { ids, fine } }) => {
    const { project } = service.projects.get(params.project);
    const changed = await markFine(project, ids, fine, actOf(service, project));
    service.hub.publish({ type: 'data', project: params.project, topics: ['contexts'] });
    return { changed };
  },
});
