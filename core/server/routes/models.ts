import type { ModelChoice } from '../../api/models.ts';
import { asJson } from '../../base/json.ts';
import { MODEL_FILES, type ModelFileKind } from '../../services/model-card.ts';
import { modelFile, viewModel } from '../../services/model-view.ts';
import { implement, type HandlerContext } from '../handlers.ts';

const MEDIA: Readonly<Record<ModelFileKind, string>> = {
  onnx: 'application/octet-stream',
  safetensors: 'application/octet-stream',
  card: 'text/markdown; charset=utf-8',
};

/** The handler of a file to be saved. */
const saved =
  (kind: ModelFileKind) =>
  async ({
    service,
    params,
    query,
  }: Pick<HandlerContext, 'service'> & {
    params: { project: string; run: number };
    query: ModelChoice;
  }): Promise<Response> => {
    const bytes = await modelFile(service.projects.get(params.project).project, params.run, query, kind);
    const headers = {
      'content-type': MEDIA[kind],
      'content-disposition': `attachment; filename="${MODEL_FILES[kind]}"`,
      'cache-control': 'no-store',
    };
    return new Response(new Uint8Array(bytes), { headers });
  };

export const modelRoutes = implement({
  'GET /api/projects/{project}/runs/{run}/model': ({ service, params, query }) =>
    viewModel(service.projects.get(params.project).project, params.run, query),

  'POST /api/projects/{project}/runs/{run}/model/onnx': async ({ service, params, body }) => {
    const served = service.projects.get(params.project);
    const { command } = await viewModel(served.project, params.run, body);
    return service.tasks.add(served, {
      kind: 'onnx',
      title: `ONNX file of run ${params.run}`,
      params: asJson({ run: params.run, choice: body }),
      command,
    });
  },

  'GET /api/projects/{project}/runs/{run}/model/onnx': saved('onnx'),
  'GET /api/projects/{project}/runs/{run}/model/safetensors': saved('safetensors'),
  'GET /api/projects/{project}/runs/{run}/model/card': saved('card'),
});
