import { asJson } from '../../base/json.ts';
import { backboneOf } from '../../models/backbones.ts';
import { getCommand, listBackbones, publishedBackbone, removeBackbone } from '../../services/backbones.ts';
import { implement } from '../handlers.ts';

export const backboneRoutes = implement({
  'GET /api/backbones': async () => ({ backbones: await listBackbones() }),

  'POST /api/backbones/{backbone}': ({ service, params: { backbone: name } }) => {
    const { kind } = publishedBackbone(name);
    return service.tasks.add(null, {
      kind: 'backbone',
      title: `Get ${backboneOf({ kind }).title}`,
      params: asJson({ name }),
      command: getCommand(name),
    });
  },

  'DELETE /api/backbones/{backbone}': async ({ params: { backbone: name } }) => {
    await removeBackbone(name);
    return { backbones: await listBackbones() };
  },
});
