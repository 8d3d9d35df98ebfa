/**
 * The shape of one entry of the contract. The contract is one table (`contract.ts`) from a key, which is method and path
 * as in `GET /api/projects/{project}/tail`, to schemas. The service answers by it, the page's types are looked up from it,
 * and the OpenAPI document is made from it.
 */
import type { z } from 'zod';

export type EndpointKey = `${'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE'} /api/${string}`;

export interface Endpoint {
  /** One line for the OpenAPI document. */
  readonly summary: string;
  /** Values of the query string. Numbers, booleans and (by repetition) arrays are read from their text. */
  readonly query?: z.ZodObject;
  /** JSON body. */
  readonly body?: z.ZodType;
  /** Largest raw body in bytes, for the few endpoints that take bytes instead of JSON. */
  readonly upload?: number;
  /** JSON answer, or the media type of bytes. */
  readonly response: z.ZodType | Bytes;
}

/** An answer that is not JSON. */
export interface Bytes {
  /** Such as "image/webp". */
  readonly media: string;
}

/** Names in braces of a key's path. */
export type ParamNames<Key extends string> = Key extends `${string}{${infer Name}}${infer Rest}`
  ? Name | ParamNames<Rest>
  : never;

/** Values of the names in a path: projects, tasks and backbones are named by text, everything else by a positive whole number. */
export type ParamsOf<Key extends string> = {
  [Name in ParamNames<Key>]: Name extends 'project' | 'task' | 'backbone' ? string : number;
};

/** What the text form of a path or query is called in OpenAPI. */
export const TEXT_PARAMS: readonly string[] = ['project', 'task', 'backbone'];
