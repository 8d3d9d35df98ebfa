/** Projects for the tests of the storage: real SQLite files in temporary folders. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { sha256 } from '../../core/storage/blob-store.ts';
import { thisHolder } from '../../core/storage/project.ts';
import type { ProjectStore } from '../../core/storage/project-store.ts';
import type { ImageRecord, Mask, NewImage, NewRun, Saliency, Variant } from '../../core/storage/records.ts';
import { sqliteStorage } from '../../db/index.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

export const AT = '2026-01-02T03:04:05.678Z';

export function projectFile(): string {
  return join(temporaryFolder(), 'birds.contexture');
}

/** Open a project, making it unless told; whoever asks closes it. */
export function open(file: string, options: { create?: boolean; name?: string } = {}): ProjectStore {
  const { create = true, name } = options;
  return sqliteStorage.open(file, {
    create,
    holder: thisHolder('contexture test'),
    ...(name === undefined ? {} : { name }),
  });
}

/** Work on a fresh project and close it. */
export function withStore(work: (store: ProjectStore, file: string) => void): void {
  const file = projectFile();
  const store = open(file);
  try {
    work(store, file);
  } finally {
    store.close();
  }
}

/** Check that `work` is refused with this code; returns the sentence. */
export function refused(work: () => unknown, code: ErrorCode): string {
  let sentence = '';
  assert.throws(work, (error) => {
    assert.ok(error instanceof UserError, `not a UserError: ${String(error)}`);
    assert.equal(error.code, code, error.message);
    assert.match(error.message, /[.]$/);
    sentence = error.message;
    return true;
  });
  return sentence;
}

/** A picture as found; a class and a source of their own are made where none is given. */
export function newImage(store: ProjectStore, path: string, fields: Partial<NewImage> = {}): NewImage {
  return {
    sourceId: fields.sourceId ?? (store.sources.list()[0] ?? addSource(store)).id,
    path,
    pathBytes: null,
    size: 10,
    mtimeMs: 1700000000000.25,
    hash: sha256(path),
    width: 32,
    height: 24,
    format: 'png',
    orientation: 1,
    foundClassId: fields.foundClassId ?? store.classes.ensure('bird').id,
    foundSplit: null,
    ...fields,
  };
}

export function addSource(store: ProjectStore, path = '/pictures') {
  return store.sources.add({ kind: 'folder', path, relativePath: null, addedAt: AT });
}

export function addImage(store: ProjectStore, path: string, fields: Partial<NewImage> = {}): ImageRecord {
  const image = newImage(store, path, fields);
  store.images.upsert([image]);
  return store.images.byPath(image.sourceId, path, image.pathBytes)!;
}

export function newSaliency(imageId: number, fields: Partial<Saliency> = {}): Omit<Saliency, 'id' | 'doubt'> {
  return {
    imageId,
    modelHash: sha256('model'),
    layer: 'stage3',
    runId: null,
    blob: sha256('saliency'),
    width: 8,
    height: 8,
    probability: 0.875,
    probabilityFrom: 'held-out',
    look: null,
    createdAt: AT,
    ...fields,
  };
}

export function newMask(imageId: number, fields: Partial<Mask> = {}): Omit<Mask, 'id'> {
  return {
    imageId,
    parentId: null,
    origin: 'soft',
    saliencyId: null,
    params: { power: 2 },
    blob: sha256('mask'),
    width: 32,
    height: 24,
    area: 0.5,
    author: 'contexture',
    createdAt: AT,
    ...fields,
  };
}

export function newRun(fields: Partial<NewRun> = {}): NewRun {
  return {
    name: 'first',
    method: 'csa',
    config: { epochs: 3, lambda: { min: 0, max: 1, per: 'batch' } },
    seed: 2 ** 40,
    state: 'queued',
    reason: null,
    createdAt: AT,
    startedAt: null,
    endedAt: null,
    seconds: 0,
    datasetHash: sha256('dataset'),
    datasetBlob: sha256('dataset blob'),
    bankHash: null,
    bankBlob: null,
    engine: null,
    codeVersion: '0.1.0',
    modelBlob: null,
    predictionsBlob: null,
    figures: null,
    ...fields,
  };
}

export function newVariant(runId: number, fields: Partial<Omit<Variant, 'id' | 'runId'>> = {}): Omit<Variant, 'id'> {
  return {
    runId,
    name: 'tail',
    head: 'balanced',
    kind: 'logit-adjustment',
    tau: 0.75,
    calibration: 'group',
    temperatures: null,
    figures: null,
    blob: sha256('variant'),
    createdAt: AT,
    ...fields,
  };
}
