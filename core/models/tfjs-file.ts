/** The weights of a TensorFlow.js model: a model.json that lists them, and files with their bytes beside it. */
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { fileError, UserError } from '../base/errors.ts';
import { sizeOf } from '../base/safetensors.ts';
import type { PackTensor } from './backbone-card.ts';

const ModelJson = z.object({
  weightsManifest: z.array(
    z.object({
      paths: z.array(z.string()),
      weights: z.array(
        z.object({
          name: z.string(),
          shape: z.array(z.int().min(0)),
          dtype: z.string(),
          quantization: z.unknown().optional(),
        }),
      ),
    }),
  ),
});

/**
 * Read the weights by name.
 * @param path of its model.json
 * @throws UserError 'damaged' when it is none, is not whole, or has weights that are no plain float32
 */
export async function readTfjsModel(path: string): Promise<Map<string, PackTensor>> {
  let json: z.infer<typeof ModelJson>;
  try {
    json = ModelJson.parse(JSON.parse(await readFile(path, 'utf8')));
  } catch (error) {
    if (!(error instanceof SyntaxError) && !(error instanceof z.ZodError)) throw fileError(error, 'read', path);
    throw new UserError('damaged', `${path} is not a TensorFlow.js model: it does not list its weights.`, {
      cause: error,
    });
  }
  const tensors = new Map<string, PackTensor>();
  for (const { paths, weights } of json.weightsManifest) {
    const bytes = await together(dirname(path), paths);
    let at = 0;
    for (const { name, shape, dtype, quantization } of weights) {
      if (dtype !== 'float32' || quantization !== undefined) {
        throw new UserError(
          'damaged',
          `${path} has the weight ${name} as ${dtype}, quantised or not: it must be plain float32.`,
        );
      }
      const size = 4 * sizeOf(shape);
      if (at + size > bytes.length) {
        throw new UserError(
          'damaged',
          `The files of weights beside ${path} end before ${name}: take a good copy of them.`,
        );
      }
      tensors.set(name, { shape, values: new Float32Array(Uint8Array.from(bytes.subarray(at, at + size)).buffer) });
      at += size;
    }
  }
  return tensors;
}

/** The bytes of a group of files one after the other. Only files beside the model are read. */
async function together(folder: string, names: readonly string[]): Promise<Buffer> {
  const parts: Buffer[] = [];
  for (const name of names) {
    if (/[/\\]/.test(name)) {
      throw new UserError('damaged', `The model in ${folder} names the file ${name}, which does not lie beside it.`);
    }
    try {
      parts.push(await readFile(join(folder, name)));
    } catch (error) {
      throw fileError(error, 'read', join(folder, name));
    }
  }
  return Buffer.concat(parts);
}
