import { commandLine } from '../../base/command-line.ts';
import { asJson } from '../../base/json.ts';
import { checkTrial, keepPicture } from '../../services/try-pictures.ts';
import { implement } from '../handlers.ts';

export const predictRoutes = implement({
  'POST /api/projects/{project}/pictures': ({ service, params, upload }) =>
    keepPicture(service.projects.get(params.project).project, Buffer.from(upload)),

  'POST /api/projects/{project}/predictions': ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    checkTrial(served.project, body);
    const { run, variant, pictures } = body;
    return service.tasks.add(served, {
      kind: 'predict',
      title: `Try run ${run} on ${pictures.length === 1 ? '1 picture' : `${pictures.length} pictures`}`,
      params: asJson(body),
      command: commandLine(
        ['contexture', 'predict', 'PICTURES', '--run', String(run)].concat(
          variant === undefined ? [] : ['--variant', variant],
        ),
      ),
    });
  },
});
