/** A split of a data set as a run has it: its labels, its pictures, and what a frozen backbone has made of these. */
import { indicesOfSplit, type DatasetSnapshot } from '../data/snapshot.ts';
import type { PackPort } from '../data/packed.ts';
import type { InferenceState } from '../models/network.ts';
import type { Split } from '../storage/records.ts';
import type { TrainConfig } from './config.ts';
import type { Evaluator } from './evaluator.ts';
import { openFeatures, type OpenFeatures } from './features.ts';
import { openPictures, type OpenPictures } from './open-pictures.ts';

/** What splits are parts of. */
export interface SplitSource {
  snapshot: DatasetSnapshot;
  config: TrainConfig;
  /** `Project.cacheFolder` */
  cacheFolder: string;
}

export class RunSplit implements AsyncDisposable {
  /** `ImageRecord.id` of each image. */
  readonly ids: Int32Array;
  /** Class of each image. */
  readonly labels: Int32Array;
  readonly pictures: OpenPictures;
  readonly #source: SplitSource;
  readonly #use: 'train' | 'evaluate';
  readonly #hashes: readonly string[];
  #features: OpenFeatures | null = null;

  private constructor(
    source: SplitSource,
    indices: readonly number[],
    use: 'train' | 'evaluate',
    pictures: OpenPictures,
  ) {
    const images = indices.map((index) => source.snapshot.images[index]);
    this.ids = Int32Array.from(images, ({ id }) => id);
    this.labels = Int32Array.from(images, ({ label }) => label);
    this.pictures = pictures;
    this.#source = source;
    this.#use = use;
    this.#hashes = images.map(({ hash }) => hash);
  }

  /** @throws UserError as `openPictures` */
  static async open(source: SplitSource, split: Split, port: PackPort): Promise<RunSplit> {
    const { snapshot, config, cacheFolder } = source;
    const indices = indicesOfSplit(snapshot, split);
    const use = split === 'train' ? 'train' : 'evaluate';
    return new RunSplit(source, indices, use, await openPictures(snapshot, indices, config, use, cacheFolder, port));
  }

  /** Null before `lookOnce`, and where the backbone is not frozen. */
  get features(): OpenFeatures | null {
    return this.#features;
  }

  /** Let a frozen backbone look at the pictures, once for all steps. @throws UserError as `openFeatures` */
  async lookOnce(evaluator: Evaluator, state: InferenceState, port: PackPort): Promise<void> {
    const { config, cacheFolder } = this.#source;
    const from = {
      evaluator,
      state,
      config,
      cacheFolder,
      pictures: this.pictures,
      hashes: this.#hashes,
      use: this.#use,
    };
    this.#features = await openFeatures(from, port);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#features?.[Symbol.dispose]();
    await this.pictures[Symbol.asyncDispose]();
  }
}
