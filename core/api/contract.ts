/** The contract: every request that the service answers, in one table. Types for both sides are looked up from it. */
import type { z } from 'zod';
import { APP_ENDPOINTS } from './app.ts';
import { BACKBONE_ENDPOINTS } from './backbones.ts';
import { BACKGROUND_ENDPOINTS } from './backgrounds.ts';
import { BANK_ENDPOINTS } from './bank.ts';
import { COMMAND_ENDPOINTS } from './command.ts';
import { COMPARE_ENDPOINTS } from './compare.ts';
import { CONTEXT_ENDPOINTS } from './contexts.ts';
import { EDIT_ENDPOINTS } from './edits.ts';
import type { Bytes, Endpoint, EndpointKey, ParamNames, ParamsOf } from './endpoint.ts';
import { ENGINE_ENDPOINTS } from './engine.ts';
import { EXPORT_ENDPOINTS } from './exports.ts';
import { IMAGE_ENDPOINTS } from './images.ts';
import { LEFTOVER_ENDPOINTS } from './leftover.ts';
import { MODEL_ENDPOINTS } from './models.ts';
import { NEAR_ENDPOINTS } from './near-duplicates.ts';
import { PREDICT_ENDPOINTS } from './predict.ts';
import { PROJECT_ENDPOINTS } from './projects.ts';
import { RELIANCE_ENDPOINTS } from './reliance.ts';
import { REVIEW_ENDPOINTS } from './review.ts';
import { RUN_ENDPOINTS } from './runs.ts';
import { SOURCE_ENDPOINTS } from './sources.ts';
import { STATS_ENDPOINTS } from './stats.ts';
import { STORAGE_ENDPOINTS } from './storage.ts';
import { STUDY_ENDPOINTS } from './studies.ts';
import { SWAP_ENDPOINTS } from './swap.ts';
import { TASK_ENDPOINTS } from './tasks.ts';
import { TRAINING_ENDPOINTS } from './training.ts';
import { VARIANT_ENDPOINTS } from './variants.ts';

export const CONTRACT = {
  ...APP_ENDPOINTS,
  ...BACKBONE_ENDPOINTS,
  ...BACKGROUND_ENDPOINTS,
  ...BANK_ENDPOINTS,
  ...COMMAND_ENDPOINTS,
  ...COMPARE_ENDPOINTS,
  ...CONTEXT_ENDPOINTS,
  ...EDIT_ENDPOINTS,
  ...ENGINE_ENDPOINTS,
  ...EXPORT_ENDPOINTS,
  ...IMAGE_ENDPOINTS,
  ...LEFTOVER_ENDPOINTS,
  ...MODEL_ENDPOINTS,
  ...NEAR_ENDPOINTS,
  ...PREDICT_ENDPOINTS,
  ...PROJECT_ENDPOINTS,
  ...RELIANCE_ENDPOINTS,
  ...REVIEW_ENDPOINTS,
  ...RUN_ENDPOINTS,
  ...SOURCE_ENDPOINTS,
  ...STATS_ENDPOINTS,
  ...STORAGE_ENDPOINTS,
  ...STUDY_ENDPOINTS,
  ...SWAP_ENDPOINTS,
  ...TASK_ENDPOINTS,
  ...TRAINING_ENDPOINTS,
  ...VARIANT_ENDPOINTS,
} as const satisfies Record<EndpointKey, Endpoint>;

export type Contract = typeof CONTRACT;
export type Key = keyof Contract & EndpointKey;

type Part<K extends Key, Name extends string> = Contract[K] extends Record<Name, infer Value> ? Value : undefined;

/** What a caller sends: parameters of the path, query, body; each only where the endpoint has it. */
export type RequestOf<K extends Key> = ([ParamNames<K>] extends [never] ? object : { params: ParamsOf<K> }) &
  (Part<K, 'query'> extends z.ZodType ? { query?: z.input<Part<K, 'query'>> } : object) &
  (Part<K, 'body'> extends z.ZodType ? { body: z.input<Part<K, 'body'>> } : object) &
  (Part<K, 'upload'> extends number ? { upload: Blob } : object);

/** What a caller gets: parsed JSON, or the raw answer where it is bytes. */
export type ResponseOf<K extends Key> = Contract[K]['response'] extends z.ZodType
  ? z.output<Contract[K]['response']>
  : Response;

/** What a handler is given. */
export type ParsedRequest<K extends Key> = {
  params: ParamsOf<K>;
  query: Part<K, 'query'> extends z.ZodType ? z.output<Part<K, 'query'>> : undefined;
  body: Part<K, 'body'> extends z.ZodType ? z.output<Part<K, 'body'>> : undefined;
  /** Raw body, where the endpoint takes one. */
  upload: Part<K, 'upload'> extends number ? Uint8Array<ArrayBuffer> : undefined;
};

/** What a handler returns: a value that the schema is applied to, or a Response with bytes. */
export type HandlerResult<K extends Key> = Contract[K]['response'] extends Bytes
  ? Response
  : Contract[K]['response'] extends z.ZodType
    ? z.input<Contract[K]['response']>
    : never;
