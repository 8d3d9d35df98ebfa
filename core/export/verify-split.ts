/** Proof that only training images were used. Pure. */
import type { DatasetSnapshot, SnapshotImage } from '../data/snapshot.ts';
import type { LineageItem } from './item.ts';
import type { VerifyProblem } from './verify-report.ts';

type Report = (kind: VerifyProblem['kind'], file: string, message: string) => void;

/**
 * Look every source and context up: by id and content in the data set as it was exported (a plain background in the bank),
 * and by content in the other splits as they were and as they are now.
 * @param exported the data set that the export was made from
 * @param backgrounds content of each plain background of the bank that it was made from, by id
 * @param current the project's data set of now
 * @returns pictures without a finding
 */
export function checkSplits(
  items: readonly LineageItem[],
  exported: DatasetSnapshot,
  current: DatasetSnapshot,
  backgrounds: ReadonlyMap<number, string>,
  report: Report,
): number {
  const images = new Map(exported.images.map((image) => [image.id, image]));
  const heldOut = new Map([...heldOutImages(current), ...heldOutImages(exported)]);
  let proven = 0;
  for (const item of items) {
    const finding =
      item.split === 'train' ? trainFinding(item, images, backgrounds, heldOut) : copyFinding(item, images);
    const classOf = images.get(item.source.id);
    if (finding) report(finding.kind, item.file, finding.message);
    else if (classOf && exported.classes[classOf.label] !== item.class) {
      report('split', item.file, `${item.file} is not of the class of its source ${item.source.path}.`);
    } else proven++;
  }
  return proven;
}

interface Finding {
  kind: 'split' | 'leak';
  message: string;
}

/** Images outside the training split, by content. */
function heldOutImages({ images }: DatasetSnapshot): [string, SnapshotImage][] {
  return images.filter(({ split }) => split !== 'train').map((image) => [image.hash, image]);
}

function trainFinding(
  { file, source, context, sha256 }: LineageItem,
  images: ReadonlyMap<number, SnapshotImage>,
  backgrounds: ReadonlyMap<number, string>,
  heldOut: ReadonlyMap<string, SnapshotImage>,
): Finding | undefined {
  const copied = heldOut.get(sha256);
  if (copied) return { kind: 'leak', message: `${file} is the ${copied.split} image ${copied.path}, byte for byte.` };
  const used = [
    { role: 'source', reference: source, background: undefined },
    ...(context ? [{ role: 'context', reference: context.image, background: context.background }] : []),
  ];
  for (const { role, reference, background } of used) {
    const twin = heldOut.get(reference.hash);
    const what = `The ${role} ${reference.path} of ${file}`;
    if (twin) return { kind: 'leak', message: `${what} is also the ${twin.split} image ${twin.path}.` };
    if (background !== undefined) {
      if (backgrounds.get(background) === reference.hash) continue;
      return { kind: 'split', message: `${what} is not a plain background of the bank.` };
    }
    const image = reference.id === null ? undefined : images.get(reference.id);
    if (!image || image.hash !== reference.hash) {
      return { kind: 'split', message: `${what} is not an image of the data set.` };
    }
    if (image.split !== 'train') return { kind: 'split', message: `${what} is in the ${image.split} split.` };
  }
  return undefined;
}

/** Copied splits hold the images of that split as they are. */
function copyFinding(
  { file, kind, split, source, context }: LineageItem,
  images: ReadonlyMap<number, SnapshotImage>,
): Finding | undefined {
  const image = images.get(source.id);
  if (kind === 'original' && !context && image?.hash === source.hash && image.split === split) return undefined;
  return { kind: 'split', message: `${file} is not a plain image of the ${split} split.` };
}
