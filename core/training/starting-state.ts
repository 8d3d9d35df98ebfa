/** What a run's network begins with: a backbone's weights from its pack, and all else at random. */
import { Random } from '../base/random.ts';
import { UserError } from '../base/errors.ts';
import { backbonePath, readBackbonePack } from '../models/backbone-pack.ts';
import type { Network, NetworkState } from '../models/network.ts';
import type { TrainConfig } from './config.ts';

/**
 * A state before the first step; random weights are drawn whether or not they are used. The caller disposes it.
 * @throws UserError 'not-found' when the pack is not there, 'changed' when it is not the one that the run was made with,
 *   'damaged' when it does not fit
 */
export function startingState(network: Network, { seed, weights, model }: TrainConfig): NetworkState {
  const random = Random.stream(seed, 'weights');
  if (weights === null) return network.initialize(random);
  const pack = readBackbonePack(backbonePath(weights.name), model);
  if (pack.hash !== weights.hash) {
    throw new UserError(
      'changed',
      `The backbone ${weights.name} is not the one that this run was made with. Start the run anew, or bring the old one back.`,
    );
  }
  return network.initialize(random, pack.weights);
}
