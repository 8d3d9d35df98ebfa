/** Where the contexts of an export are drawn from; one arm of the recipe each. */
import { UserError } from '../base/errors.ts';
import type { Random } from '../base/random.ts';
import { NO_CLASS } from '../contexts/bank-backgrounds.ts';
import { isContext, type BankEntry } from '../contexts/bank.ts';
import type { SnapshotImage, SnapshotPicture } from '../data/snapshot.ts';
import { Deck } from './deck.ts';
import type { MaskReference } from './item.ts';
import type { ExportArm, ExportRecipe } from './recipe.ts';
import { drawnRegion } from './region.ts';

/** What is pasted, before it is fitted to a picture. */
export interface Paste {
  /** `Context.id`; null for a random image and for a plain background. */
  contextId: number | null;
  /** `Background.id`; null for all else. */
  backgroundId: number | null;
  image: SnapshotPicture;
  mask: MaskReference;
}

/** Draws what is to be pasted on an image. @throws UserError 'empty' when nothing is left to draw */
export type DrawPaste = (target: SnapshotImage) => Paste;

/** What the draws are made from. */
export interface PasteSources {
  /** Class names by label. */
  classes: readonly string[];
  /** The training images that may be used at all. */
  images: readonly SnapshotImage[];
  /** Accepted contexts; those of other images are passed over. */
  bank: readonly BankEntry[];
  /** The plain backgrounds that may be used, by `Background.id`. */
  backgrounds: ReadonlyMap<number, SnapshotPicture>;
  recipe: ExportRecipe;
  /** The generator for a purpose. */
  random: (purpose: string) => Random;
}

/** A paste with the share of the picture that its mask covers, and its class; `NO_CLASS` for a plain background. */
type BankPaste = Paste & { area: number; label: number };

const ARMS: Readonly<Record<ExportArm, (sources: PasteSources) => DrawPaste | null>> = {
  context: anyContext,
  'no-paste': () => null,
  'same-class': ownClassContext,
  random: randomRegion,
};

/** The draws of the recipe's arm; null where nothing is pasted. */
export function pasteSource(sources: PasteSources): DrawPaste | null {
  return ARMS[sources.recipe.arm](sources);
}

function anyContext(sources: PasteSources): DrawPaste {
  const deck = new Deck(bankPastes(sources), sources.random('contexts'), sources.recipe.reuse);
  return (target) => drawFrom(deck, target, sources.recipe, 'accepted contexts of training images');
}

function ownClassContext(sources: PasteSources): DrawPaste {
  const pastes = bankPastes(sources);
  const decks = sources.classes.map((name, label) => {
    const own = pastes.filter((paste) => paste.label === label);
    return new Deck(own, sources.random(`contexts of ${name}`), sources.recipe.reuse);
  });
  return (target) => {
    const what = `accepted contexts of the class "${sources.classes[target.label]}" itself`;
    return drawFrom(decks[target.label], target, sources.recipe, what);
  };
}

function randomRegion(sources: PasteSources): DrawPaste {
  const areas = new Deck(bankPastes(sources), sources.random('areas'));
  const regions = sources.random('regions');
  const images = sources.images.filter(({ label }) => isAllowed(sources, label)).map((image) => ({ image }));
  const deck = new Deck(images, sources.random('images'), sources.recipe.reuse);
  return (target) => {
    const matched = areas.draw();
    if (!matched) {
      throw new UserError(
        'empty',
        'Random regions are as large as accepted contexts, and no context of a training image is accepted. Accept some first.',
      );
    }
    const { image } = drawFrom(deck, target, sources.recipe, 'training images to cut random regions from');
    const region = drawnRegion(image, matched.area, () => regions.uniform());
    return { contextId: null, backgroundId: null, image, mask: { kind: 'rectangle', ...region } };
  };
}

function bankPastes(sources: PasteSources): BankPaste[] {
  const images = new Map(sources.images.map((image) => [image.id, image]));
  return sources.bank.flatMap((entry): BankPaste[] => {
    if (!isContext(entry)) {
      const background = sources.backgrounds.get(entry.backgroundId);
      if (!background || !isAllowed(sources, NO_CLASS)) return [];
      const whole = { mask: { kind: 'whole' }, area: 1, label: NO_CLASS } as const;
      return [{ contextId: null, backgroundId: entry.backgroundId, image: background, ...whole }];
    }
    const image = images.get(entry.imageId);
    if (!image || !isAllowed(sources, image.label)) return [];
    const mask: MaskReference = { kind: 'version', id: entry.maskId, blob: entry.maskBlob };
    const { contextId, area } = entry;
    return [{ contextId, backgroundId: null, image, mask, area, label: image.label }];
  });
}

/** Where the recipe names classes, what has none is not used. */
function isAllowed({ classes, recipe }: PasteSources, label: number): boolean {
  return recipe.contextClasses?.includes(classes[label]) ?? true;
}

/** A picture is never its own context, by content: that would change nothing. */
function drawFrom<T extends { image: SnapshotPicture }>(
  deck: Deck<T>,
  target: SnapshotImage,
  { reuse }: ExportRecipe,
  what: string,
): T {
  const drawn = deck.draw(({ image }) => image.hash !== target.hash);
  if (drawn) return drawn;
  const limit = reuse === null ? '' : ` when each may be used ${reuse} times at most`;
  const mend = reuse === null ? 'Accept more contexts' : 'Raise that limit, accept more contexts';
  throw new UserError('empty', `There are not enough ${what}${limit}. ${mend} or ask for fewer pictures.`);
}
