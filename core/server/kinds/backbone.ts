import { z } from 'zod';
import { asJson } from '../../base/json.ts';
import { getBackbone } from '../../services/backbones.ts';
import { taskKind } from '../task-kind.ts';

/** Downloads a published backbone. Its result is the entry in the list. */
export const backboneKind = taskKind({
  scope: 'app',
  lane: 'side',
  params: z.object({ name: z.string() }),
  async perform({ params: { name }, signal, onEvent }) {
    return asJson(await getBackbone(name, { onEvent, signal }));
  },
});
