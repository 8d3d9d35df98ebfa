/** The model of a finished run, or of a variant of it, as files for other programs. */
import { z } from 'zod';
import type { Endpoint, EndpointKey } from './endpoint.ts';
import { Head } from './figures.ts';
import { Task } from './tasks.ts';

/** Which model is meant, and what its ONNX file is to be like. */
export const ModelChoice = z.strictObject({
  /** Name of a variant of the run; absent for the model as it was trained. */
  variant: z.string().min(1).max(100).optional(),
  /** The head that answers; absent for the one that the model answers by. */
  head: Head.optional(),
  /** Also give the logits of both heads. */
  bothHeads: z.boolean().default(false),
  /** Put batch normalisation into the convolutions. */
  fold: z.boolean().default(false),
  /** Pictures that go through at a time; absent for any number. */
  batch: z.int().min(1).max(4096).optional(),
});
export type ModelChoice = z.output<typeof ModelChoice>;

/** An ONNX file that was checked. Result of a task of kind "onnx". */
export const OnnxFile = z
  .object({
    bytes: z.number(),
    head: Head,
    /** Names of what it gives. */
    outputs: z.array(z.object({ name: z.string() })),
    /** Pictures that it was checked on, and the largest difference from the model, relative to the largest value. */
    checked: z.object({ pictures: z.number(), difference: z.number() }),
  })
  .meta({ id: 'OnnxFile' });
export type OnnxFile = z.infer<typeof OnnxFile>;

export const RunModel = z
  .object({
    /** Names of the variants of the run. */
    variants: z.array(z.string()),
    /** The head that answers, and those that could. */
    head: Head,
    heads: z.array(Head),
    classes: z.number(),
    inputSize: z.number(),
    /** Size of the safetensors file. */
    bytes: z.number(),
    /** The ONNX file as it is asked for; null where it is not made or not kept any more. */
    onnx: OnnxFile.nullable(),
    /** The model card, Markdown. */
    card: z.string(),
    /** The command line that writes all of it; the project comes after it. */
    command: z.string(),
  })
  .meta({ id: 'RunModel' });
export type RunModel = z.infer<typeof RunModel>;

export const MODEL_ENDPOINTS = {
  'GET /api/projects/{project}/runs/{run}/model': {
    summary: 'What there is of the model of a run: sizes, model card, the ONNX file where it is made.',
    query: ModelChoice,
    response: RunModel,
  },
  'POST /api/projects/{project}/runs/{run}/model/onnx': {
    summary: 'Make the ONNX file and check it in ONNX Runtime. It is kept for a day; the result is an OnnxFile.',
    body: ModelChoice,
    response: Task,
  },
  'GET /api/projects/{project}/runs/{run}/model/onnx': {
    summary: 'The ONNX file that was made by the same choice.',
    query: ModelChoice,
    response: { media: 'application/octet-stream' },
  },
  'GET /api/projects/{project}/runs/{run}/model/safetensors': {
    summary: 'All weights by name, as Contexture itself keeps them.',
    query: ModelChoice,
    response: { media: 'application/octet-stream' },
  },
  'GET /api/projects/{project}/runs/{run}/model/card': {
    summary: 'The model card.',
    query: ModelChoice,
    response: { media: 'text/markdown' },
  },
} as const satisfies Record<EndpointKey, Endpoint>;
