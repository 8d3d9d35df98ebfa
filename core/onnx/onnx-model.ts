/**
 * A model as an ONNX file that says everything about itself: pixels in, logits and probabilities out, labels and
 * preprocessing in its metadata. The normalisation is part of the graph.
 */
import type { ModelCard } from '../models/model-card.ts';
import type { ModelFile } from '../models/model-file.ts';
import { Network } from '../models/network.ts';
import type { Head } from '../evaluation/figures.ts';
import { answeringHead } from '../predict/answers.ts';
import { preprocessingText, resizedSide } from '../predict/preprocessing-text.ts';
import { Graph } from './graph.ts';
import { DATA_TYPE, encodeOnnx, type OnnxDimension, type OnnxValueInfo } from './onnx-file.ts';
import { OnnxLayers, type OnnxMap } from './onnx-layers.ts';

/** Operator set of the graph (ONNX 1.12 of 2022), and the file version that came with it. */
const OPSET = 17;
const IR_VERSION = 8;

export interface OnnxOptions {
  /** The head that answers; null for the one that the model answers by. */
  head: Head | null;
  /** Also give the logits of both heads: outputs `uniform_logits` and `balanced_logits`. */
  bothHeads: boolean;
  /** Put batch normalisations into the convolutions: fewer operations, the same answers but for rounding. */
  fold: boolean;
  /** Pictures that go through at a time; null: any number. */
  batch: number | null;
}

/** The outputs of a file, and which logits each holds. */
export interface OnnxOutput {
  name: string;
  of: { logits: Head } | { probabilities: Head };
}

/**
 * Write a model as ONNX. Input `image`: float32 RGB [N, 3, S, S], values 0 to 255. Outputs `logits` and `probabilities`
 * [N, classes] of one head, further ones as the options say.
 * @returns the file, and what it gives
 * @throws UserError 'usage' for a head that the model does not answer by
 */
export function onnxModel(
  { card, weights }: Pick<ModelFile, 'card' | 'weights'>,
  { head: wanted, bothHeads, fold, batch }: OnnxOptions,
  codeVersion: string,
): { bytes: Uint8Array; head: Head; outputs: OnnxOutput[] } {
  const head = answeringHead(card, wanted);
  const network = new Network(card.model, card.classes.length);
  const named = new Map(
    (['trunk', 'balanced', 'statistics'] as const).flatMap((part) =>
      network[part].views(weights[part]).map(({ name, values }): [string, Float32Array] => [name, values]),
    ),
  );
  const graph = new Graph();
  const epsilon = network.backbone.batchNormEpsilon;
  const layers = new OnnxLayers(graph, { weights: named, epsilon, fold });
  const pooled = graph.add('GlobalAveragePool', 'pooled', [network.backbone.features(layers, image(graph, card)).name]);
  const features = graph.add('Flatten', 'features', [pooled], { axis: 1 });
  const shape = [network.features, card.classes.length] as const;
  const outputs: OnnxOutput[] = [];
  const linear = (name: string, of: Head): string => {
    outputs.push({ name, of: { logits: of } });
    return graph.add('Gemm', name, [features, ...headTensors(graph, named, of, shape)]);
  };
  const logits = linear('logits', head);
  graph.add('Softmax', 'probabilities', [tempered(graph, card, logits)], { axis: 1 });
  outputs.push({ name: 'probabilities', of: { probabilities: head } });
  if (bothHeads && card.head === 'balanced') {
    linear('uniform_logits', 'uniform');
    linear('balanced_logits', 'balanced');
  }
  const first: OnnxDimension = batch === null ? { dimParam: 'batch' } : { dimValue: batch };
  const { inputSize: size } = card.preprocessing;
  const bytes = encodeOnnx({
    irVersion: IR_VERSION,
    opsetImport: [{ domain: '', version: OPSET }],
    producerName: 'Contexture',
    producerVersion: codeVersion,
    modelVersion: 1,
    docString: `${network.backbone.title} for ${card.classes.length} classes, trained by the method "${card.method}".`,
    graph: graph.finish(card.model.kind, {
      input: [value('image', [first, ...fixed(3, size, size)], 'RGB, values 0 to 255')],
      output: outputs.map(({ name }) => value(name, [first, ...fixed(card.classes.length)], '')),
    }),
    metadataProps: Object.entries(metadata(card, head, fold)).map(([key, text]) => ({ key, value: text })),
  });
  return { bytes, head, outputs };
}

const fixed = (...sizes: number[]): OnnxDimension[] => sizes.map((dimValue) => ({ dimValue }));

function value(name: string, dim: OnnxDimension[], docString: string): OnnxValueInfo {
  return { name, type: { tensorType: { elemType: DATA_TYPE.float, shape: { dim } } }, docString };
}

/** (value - 255 mean) / (255 deviation): the padding of the first convolution is 0 after that, so it cannot be folded in. */
function image(graph: Graph, { preprocessing: { inputSize: size, mean, deviation } }: ModelCard): OnnxMap {
  const channels = (name: string, values: readonly number[]): string =>
    graph.floats(
      name,
      [3, 1, 1],
      Float32Array.from(values, (share) => 255 * share),
    );
  const centred = graph.add('Sub', 'image.centred', ['image', channels('image.mean', mean)]);
  const name = graph.add('Div', 'image.normalised', [centred, channels('image.deviation', deviation)]);
  return { name, channels: 3, height: size, width: size };
}

/** Weight [features, classes] and bias of a head. Mean logits of two linear heads are those of the mean head. */
function headTensors(
  graph: Graph,
  named: ReadonlyMap<string, Float32Array>,
  head: Head,
  [features, classes]: readonly [number, number],
): string[] {
  const tensor = (part: 'weight' | 'bias'): Float32Array => {
    if (head !== 'mean') return named.get(`${head}.${part}`)!;
    const balanced = named.get(`balanced.${part}`)!;
    return named.get(`uniform.${part}`)!.map((one, i) => (one + balanced[i]) / 2);
  };
  return [
    graph.floats(`${head}.weight`, [features, classes], tensor('weight')),
    graph.floats(`${head}.bias`, [classes], tensor('bias')),
  ];
}

/** Logits over the temperature of the class that is largest among them. */
function tempered(graph: Graph, { variant, classes }: ModelCard, logits: string): string {
  if (!variant?.temperatures) return logits;
  const temperatures = graph.floats('temperatures', [classes.length], Float32Array.from(variant.temperatures));
  const best = graph.add('ArgMax', 'best', [logits], { axis: 1, keepdims: 1 });
  const temperature = graph.add('Gather', 'temperature', [temperatures, best], { axis: 0 });
  return graph.add('Div', 'tempered', [logits, temperature]);
}

/** What goes with the file, as text. */
function metadata(card: ModelCard, head: Head, fold: boolean): Record<string, string> {
  const { preprocessing, variant } = card;
  return {
    labels: JSON.stringify(card.classes),
    train_counts: JSON.stringify(card.trainCounts),
    preprocessing: preprocessingText(card),
    input_size: String(preprocessing.inputSize),
    resize_shorter_side: String(resizedSide(card)),
    crop: 'centre',
    method: card.method,
    head,
    ...(variant ? { variant: JSON.stringify(variant) } : {}),
    dataset_hash: card.datasetHash,
    seed: String(card.seed),
    epochs: String(card.epochs),
    trained_by: `Contexture ${card.codeVersion}`,
    batch_norm: fold ? 'folded into the convolutions' : 'kept',
  };
}
