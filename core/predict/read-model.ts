/** A model file from disk. */
import { readFileSync } from 'node:fs';
import { fileError } from '../base/errors.ts';
import { decodeModelFile, type ModelFile } from '../models/model-file.ts';

/** @throws UserError 'not-found', 'no-permission' or 'damaged' */
export function readModel(path: string): ModelFile {
  let bytes: Buffer;
  try {
    bytes = readFileSync(path);
  } catch (error) {
    throw fileError(error, 'read the model', path);
  }
  return decodeModelFile(bytes, path);
}
