/**
 * What a training method is: which streams it draws, what it lays over them, which heads it trains. The loop, the
 * schedule, checkpoints, evaluation and events are shared; methods differ in `step` only.
 */
import type { MethodName } from '../config.ts';
import type { ContextSupply, MixBatch } from '../context-supply.ts';
import type { StreamBatch } from '../stream.ts';

/** What a step has at hand. */
export interface StepTools {
  /** True from the epoch on in which the balanced branch is trained. */
  readonly balancedStarted: boolean;
  readonly contexts: ContextSupply;
  /** Next batch of the uniform stream. */
  uniform(): Promise<StreamBatch>;
  /** Next batch of the class-balanced stream. */
  balanced(): Promise<StreamBatch>;
  /** Context masks [B, S, S] and p(true class) [B] of a batch by the present weights, in evaluation mode. */
  extract(batch: StreamBatch): { masks: Float32Array; probability: Float32Array };
  /**
   * One optimiser step on the loss of `main` through the uniform head, plus that of `second` through the balanced head
   * where there is one; `mix` lays contexts over `second`.
   */
  update(main: StreamBatch, second?: StreamBatch, mix?: MixBatch): void;
  /** Count samples that were sure enough for the bank. */
  countConfident(samples: number): void;
}

export interface Method {
  readonly name: MethodName;
  /** Name for people. */
  readonly title: string;
  /** One sentence: what it does. */
  readonly summary: string;
  /** Whether a step looks into its pictures (`StepTools.extract`), and not at their features alone. */
  readonly looks: boolean;
  /** Heads that it trains; the last one is the head that it is judged by. */
  readonly heads: readonly ['uniform'] | readonly ['uniform', 'balanced'];
  step(tools: StepTools): Promise<void>;
}
