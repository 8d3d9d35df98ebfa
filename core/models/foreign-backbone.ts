/** Weights from elsewhere as a backbone has them: names and layouts of PyTorch's and Keras' EfficientNet-Lite. */
import { fittingTensor } from '../base/safetensors.ts';
import { tensorsOfBackbone, type BackboneKind, type PackTensor } from './backbone-card.ts';
import type { TorchTensor } from './torch-file.ts';

/** A layer's parts by the name of the layer, in our words. */
const PARTS = {
  'expand.conv': { torch: '_expand_conv', keras: '_expand_conv' },
  'expand.bn': { torch: '_bn0', keras: '_expand_bn' },
  'depthwise.conv': { torch: '_depthwise_conv', keras: '_dwconv' },
  'depthwise.bn': { torch: '_bn1', keras: '_bn' },
  'project.conv': { torch: '_project_conv', keras: '_project_conv' },
  'project.bn': { torch: '_bn2', keras: '_project_bn' },
} as const;

/** Layers outside of blocks. */
const ENDS: Readonly<Record<string, { torch: string; keras: string }>> = {
  'stem.conv': { torch: '_conv_stem', keras: 'stem_conv' },
  'stem.bn': { torch: '_bn0', keras: 'stem_bn' },
  'last.conv': { torch: '_conv_head', keras: 'top_conv' },
  'last.bn': { torch: '_bn1', keras: 'top_bn' },
};

function isPart(name: string): name is keyof typeof PARTS {
  return Object.hasOwn(PARTS, name);
}

/** What PyTorch's and Keras' models call the layers of EfficientNet-Lite, by our name. */
function foreignLayers(layers: readonly string[]): Map<string, { torch: string; keras: string }> {
  const blocks = [...new Set(layers.flatMap((layer) => /^stage\d+\.block\d+/.exec(layer)?.[0] ?? []))];
  const named = layers.map((layer): [string, { torch: string; keras: string }] => {
    const [, block, stage, within, part] = /^((?:stage(\d+)\.block(\d+)))\.(.*)$/.exec(layer) ?? [];
    if (block === undefined || !isPart(part)) return [layer, ENDS[layer]];
    // Keras counts the blocks of a stage by letters, PyTorch all of them.
    const letter = String.fromCodePoint(96 + Number(within));
    const { torch, keras } = PARTS[part];
    return [layer, { torch: `_blocks.${blocks.indexOf(block)}.${torch}`, keras: `block${stage}${letter}${keras}` }];
  });
  return new Map(named);
}

/** [O, I, h, w] as [h, w, I, O]. */
function kernelFromTorch({ shape: [out, inputs, height, width], values }: TorchTensor): Float32Array {
  const kernel = new Float32Array(values.length);
  let from = 0;
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) {
      for (let at = 0; at < height * width; at++) kernel[(at * inputs + i) * out + o] = values[from++];
    }
  }
  return kernel;
}

/**
 * The published EfficientNet-Lite of PyTorch, with the classifier it was trained with: `classifier.weight`
 * [features, classes] and `classifier.bias`, which no network of ours uses, so that its answers can be checked.
 * @param file its name for an error
 * @throws UserError 'damaged' naming the tensor that does not fit
 */
export function fromTorch(
  kind: BackboneKind,
  tensors: ReadonlyMap<string, TorchTensor>,
  file: string,
): Map<string, PackTensor> {
  const specs = tensorsOfBackbone({ kind });
  const layers = foreignLayers([...new Set(specs.map(({ name }) => layerOf(name)))]);
  const found = new Map<string, PackTensor>();
  const take = (name: string, shape: readonly number[]): TorchTensor =>
    fittingTensor(tensors.get(name), { shape }, name, file);
  for (const { name, shape } of specs) {
    const theirs = `${layers.get(layerOf(name))!.torch}${name.slice(layerOf(name).length)}`;
    if (shape.length !== 4) {
      found.set(name, { shape, values: take(theirs, shape).values });
      continue;
    }
    const [height, width, inputs, out] = shape;
    // A depthwise kernel has one output a channel here and one input a channel there; its values lie the same way.
    const depthwise = name.endsWith('.depthwise.conv.weight');
    const tensor = take(theirs, depthwise ? [inputs, 1, height, width] : [out, inputs, height, width]);
    found.set(name, { shape, values: kernelFromTorch(tensor) });
  }
  const features = specs.findLast(({ name }) => name.endsWith('.bias'))!.shape[0];
  const weight = take('_fc.weight', [1000, features]);
  const transposed = kernelFromTorch({ shape: [1000, features, 1, 1], values: weight.values });
  found.set('classifier.weight', { shape: [features, 1000], values: transposed });
  found.set('classifier.bias', { shape: [1000], values: take('_fc.bias', [1000]).values });
  return found;
}

/** Keras' word for a weight, by ours. */
const KERAS_WEIGHTS: Readonly<Record<string, readonly string[]>> = {
  weight: ['kernel', 'depthwise_kernel', 'gamma'],
  bias: ['beta'],
  running_mean: ['moving_mean'],
  running_var: ['moving_variance'],
};

/**
 * Weights under our names, or under those of Keras' EfficientNet-Lite, in TensorFlow's layouts.
 * @param file its name for an error
 * @throws UserError 'damaged' naming the tensor that does not fit
 */
export function fromNamed(
  kind: BackboneKind,
  tensors: ReadonlyMap<string, PackTensor>,
  file: string,
): Map<string, PackTensor> {
  const specs = tensorsOfBackbone({ kind });
  const layers = foreignLayers([...new Set(specs.map(({ name }) => layerOf(name)))]);
  return new Map(
    specs.map(({ name, shape }) => {
      const layer = layerOf(name);
      const words = KERAS_WEIGHTS[name.slice(layer.length + 1)];
      const known = [layer, layers.get(layer)?.keras].flatMap((of) => words.map((word) => `${of}/${word}`));
      const there = [name, ...known].find((one) => tensors.has(one)) ?? name;
      return [name, { shape, values: fittingTensor(tensors.get(there), { shape }, there, file).values }];
    }),
  );
}

/** "stem.bn" of "stem.bn.running_mean". */
function layerOf(name: string): string {
  return name.slice(0, name.lastIndexOf('.'));
}
