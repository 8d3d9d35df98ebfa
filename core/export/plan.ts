/**
 * The plan of an export: every picture that will be written, from the data set, the bank and the recipe alone. Equal
 * input gives an equal plan; all random choices are made here, none while writing.
 *
 * Only training images are used: everything is drawn from `split === 'train'`, less the images whose file is also in
 * another split, and from the plain backgrounds that are in no other split. No rule ties a context to a class (method.md 2.4 has none), but no picture is its own context.
 */
import { UserError } from '../base/errors.ts';
import { Random } from '../base/random.ts';
import { bankBackgrounds } from '../contexts/bank-backgrounds.ts';
import type { BankEntry } from '../contexts/bank.ts';
import { coverCrop, type Size } from '../data/geometry.ts';
import type { DatasetSnapshot, SnapshotImage, SnapshotPicture } from '../data/snapshot.ts';
import { Deck } from './deck.ts';
import { folderNames } from './folder-names.ts';
import type { ImageReference, PlanItem } from './item.ts';
import { pasteSource, type Paste } from './paste-source.ts';
import { EXTENSIONS, type ExportRecipe } from './recipe.ts';

/** A class of the export. */
export interface PlannedClass {
  /** As in the project. */
  name: string;
  /** As on disk. */
  folder: string;
  /** Pictures of the data set and new ones in `train`. */
  originals: number;
  added: number;
}

export interface ExportPlan {
  classes: PlannedClass[];
  /** In the order of writing: by class, originals first; then the copied splits. File names are unique. */
  items: PlanItem[];
  /** Training images that are left out because the same file is also in the test or validation split. */
  leftOut: ImageReference[];
}

/**
 * Make the plan.
 * @param bank accepted contexts; entries whose image is not a usable training image are passed over
 * @throws UserError 'usage' for classes that do not exist or far too many pictures, 'empty' where there is nothing to draw from or the reuse cap
 *   leaves too few contexts
 */
export function planExport(snapshot: DatasetSnapshot, bank: readonly BankEntry[], recipe: ExportRecipe): ExportPlan {
  checkClasses(snapshot, recipe);
  const random = (purpose: string): Random => Random.stream(recipe.seed, `export ${purpose}`);
  const elsewhere = new Set(snapshot.images.filter(({ split }) => split !== 'train').map(({ hash }) => hash));
  const training = snapshot.images.filter(({ split }) => split === 'train');
  const images = training.filter(({ hash }) => !elsewhere.has(hash));
  const writer = new ItemMaker(snapshot, recipe);
  const { backgrounds } = bankBackgrounds(snapshot, bank);
  const drawPaste = pasteSource({ classes: snapshot.classes, images, bank, backgrounds, recipe, random });

  checkTotal(snapshot, images, recipe);
  const items: PlanItem[] = [];
  const classes = snapshot.classes.map((name, label): PlannedClass => {
    const own = images.filter((image) => image.label === label);
    const added = amountOf(recipe, name, own.length);
    if (added > 0 && own.length === 0) {
      throw new UserError(
        'empty',
        `The class "${name}" has no training image to make pictures from. Exclude the class.`,
      );
    }
    const sources = new Deck(own, random(`sources of ${name}`));
    const copies = new Map<SnapshotImage, number>();
    if (recipe.originals) items.push(...own.map((image) => writer.original(image)));
    for (let index = 0; index < added; index++) {
      const image = sources.draw()!;
      const copy = (copies.get(image) ?? 0) + 1;
      copies.set(image, copy);
      items.push(drawPaste ? writer.mixed(image, copy, drawPaste(image), random) : writer.copy(image, copy));
    }
    return { name, folder: writer.folders[label], originals: recipe.originals ? own.length : 0, added };
  });
  for (const split of ['val', 'test'] as const) {
    if (!recipe.copy.includes(split)) continue;
    items.push(...snapshot.images.filter((image) => image.split === split).map((image) => writer.original(image)));
  }
  if (items.length === 0) {
    throw new UserError(
      'empty',
      training.length === 0
        ? 'The data set has no training images to export. Import some, or undo the edit that took them out.'
        : 'The recipe asks for no picture at all. Raise the amount.',
    );
  }
  return { classes, items, leftOut: training.filter(({ hash }) => elsewhere.has(hash)).map(reference) };
}

function checkClasses(snapshot: DatasetSnapshot, recipe: ExportRecipe): void {
  const unknown = recipe.contextClasses?.find((name) => !snapshot.classes.includes(name));
  if (unknown !== undefined) {
    throw new UserError('usage', `There is no class "${unknown}" to take contexts from. Check the recipe's classes.`);
  }
  const strange = recipe.perClass?.find((row) => !snapshot.classes.includes(row.class));
  if (strange) {
    throw new UserError(
      'usage',
      `There is no class "${strange.class}" to set an amount for. Check the recipe's classes.`,
    );
  }
}

/** Pictures of one export that a plan can hold in memory. */
const MOST_PICTURES = 2_000_000;

/** A slip of the finger asks for a billion pictures sooner than a person. */
function checkTotal({ classes }: DatasetSnapshot, images: readonly SnapshotImage[], recipe: ExportRecipe): void {
  const counts = classes.map(() => 0);
  for (const { label } of images) counts[label]++;
  const total = counts.reduce((sum, count, label) => sum + amountOf(recipe, classes[label], count), images.length);
  if (total <= MOST_PICTURES) return;
  throw new UserError(
    'usage',
    `The recipe asks for ${total} pictures, and an export holds at most ${MOST_PICTURES}. Ask for fewer.`,
  );
}

/** New pictures for a class of so many training images. */
function amountOf({ amount: general, perClass, originals }: ExportRecipe, name: string, images: number): number {
  const amount = perClass?.find((row) => row.class === name)?.amount ?? general;
  if (amount.kind === 'add') return amount.images;
  if (amount.kind === 'multiply') return amount.by * images;
  return Math.max(0, amount.to - (originals ? images : 0));
}

/** Makes the items of one plan. */
class ItemMaker {
  /** Folder name of each label. */
  readonly folders: readonly string[];
  readonly #classes: readonly string[];
  readonly #recipe: ExportRecipe;

  constructor(snapshot: DatasetSnapshot, recipe: ExportRecipe) {
    this.folders = folderNames(snapshot.classes);
    this.#classes = snapshot.classes;
    this.#recipe = recipe;
  }

  original(image: SnapshotImage): PlanItem {
    const output = this.#outputSize(image);
    return {
      file: this.#fileName(image, ''),
      split: image.split,
      class: this.#classes[image.label],
      kind: 'original',
      source: reference(image),
      crop: this.#recipe.size === null ? null : coverCrop(image, output),
      ...output,
      context: null,
    };
  }

  /** @param number 1 for the first picture made from this image, 2 for the second, … */
  copy(image: SnapshotImage, number: number): PlanItem {
    return { ...this.original(image), file: this.#fileName(image, `-${number}`), kind: 'copy' };
  }

  mixed(image: SnapshotImage, number: number, paste: Paste, streams: (purpose: string) => Random): PlanItem {
    const copy = this.copy(image, number);
    const random = streams(copy.file);
    const { min, max } = this.#recipe.lambda;
    const context = {
      id: paste.contextId,
      ...(paste.backgroundId === null ? {} : { background: paste.backgroundId }),
      image: { ...reference(paste.image), ...(paste.backgroundId === null ? {} : { id: null }) },
      mask: paste.mask,
      lambda: min + (max - min) * random.uniform(),
      crop: coverCrop(paste.image, copy, { x: random.uniform(), y: random.uniform() }),
    };
    return { ...copy, kind: 'mixed', context };
  }

  /** `train/cat/0000012.png` for image 12, `train/cat/0000012-3.png` for the third picture made from it. */
  #fileName(image: SnapshotImage, suffix: string): string {
    const stem = String(image.id).padStart(7, '0');
    return `${image.split}/${this.folders[image.label]}/${stem}${suffix}.${EXTENSIONS[this.#recipe.format.kind]}`;
  }

  #outputSize({ width, height }: Size): Size {
    const side = this.#recipe.size;
    return side === null ? { width, height } : { width: side, height: side };
  }
}

function reference({ id, root, path, pathBytes, hash }: SnapshotPicture): ImageReference {
  return { id, root, path, ...(pathBytes === undefined ? {} : { pathBytes }), hash };
}
