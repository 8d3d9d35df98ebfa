/** What a run's network begins with: a backbone's weights from its pack, and what else is trained at random. */
import { Random } from '../base/random.ts';
import { sizeOf } from '../base/safetensors.ts';
import { UserError } from '../base/errors.ts';
import { backbonePath, readBackbonePack } from '../models/backbone-pack.ts';
import type { Network, NetworkState } from '../models/network.ts';
import type { TrainConfig } from './config.ts';
import { usesFeatures } from './frozen-views.ts';

/**
 * A state before the first step; random weights are drawn whether or not they are used. The caller disposes it. Heads of a
 * frozen backbone begin at zero: they have one best state, and what is drawn where no picture tells otherwise is noise.
 * @throws UserError 'not-found' when the pack is not there, 'changed' when it is not the one that the run was made with,
 *   'damaged' when it does not fit
 */
export function startingState(network: Network, config: TrainConfig): NetworkState {
  const { seed, weights, model } = config;
  const random = Random.stream(seed, 'weights');
  const heads = usesFeatures(config) ? zeroHeads(network) : [];
  if (weights === null) return network.initialize(random, new Map(heads));
  const pack = readBackbonePack(backbonePath(weights.name), model);
  if (pack.hash !== weights.hash) {
    throw new UserError(
      'changed',
      `The backbone ${weights.name} is not the one that this run was made with. Start the run anew, or bring the old one back.`,
    );
  }
  return network.initialize(random, new Map([...pack.weights, ...heads]));
}

function zeroHeads({ tuned, balanced }: Network): [name: string, values: Float32Array][] {
  return [...tuned.trunk.specs, ...balanced.specs].map(({ name, shape }) => [name, new Float32Array(sizeOf(shape))]);
}
