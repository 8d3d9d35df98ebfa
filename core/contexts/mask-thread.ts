/** Entry of one thread of `MaskMakers`. */
import { workerData } from 'node:worker_threads';
import { UserError } from '../base/errors.ts';
import { serveThread } from '../base/thread-pool.ts';
import { decodeRgb, encodeGrey, type GreyImage, type RgbImage } from '../data/decode.ts';
import { SharedByteBudget } from '../data/flow.ts';
import type { Size } from '../data/geometry.ts';
import { SnapshotFiles, type SizedFile } from '../data/snapshot-files.ts';
import { guideSize, maskArea, maskFromSaliency, refinedMask } from './mask.ts';
import { MASK_MEMORY, type MadeMask, type MaskOrder, type MaskThreadData } from './mask-makers.ts';

const { roots, memory }: MaskThreadData = workerData;
const files = new SnapshotFiles(roots);
const budget = new SharedByteBudget(MASK_MEMORY, memory);

/** A mask, its enlarged rows and what compressing it takes; a refined one has its picture too. */
const BYTES_A_PIXEL = { plain: 2, refined: 8 };

serveThread(async (orders: MaskOrder[]): Promise<MadeMask[]> => {
  const made: MadeMask[] = [];
  for (const order of orders) {
    const { picture, rule } = order;
    const bytes = picture.width * picture.height * BYTES_A_PIXEL[rule.refine ? 'refined' : 'plain'];
    made.push(
      await budget.with(bytes, async () => {
        const mask = await makeMask(order);
        return { png: await encodeGrey(mask), area: maskArea(mask) };
      }),
    );
  }
  return made;
});

async function makeMask({ saliency, picture, rule }: MaskOrder): Promise<GreyImage> {
  const { refine } = rule;
  if (!refine) return maskFromSaliency(saliency, picture.width, picture.height, rule);
  const bytes = await read(picture);
  const whole = await decode(bytes, picture, picture);
  const size = guideSize(picture);
  const same = size.width === picture.width && size.height === picture.height;
  const reduced = same ? whole : await decode(bytes, picture, size);
  return refinedMask(saliency, whole, reduced, { ...rule, refine });
}

async function read(picture: SizedFile): Promise<Buffer> {
  try {
    return await files.read(picture);
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(error.code, `${error.message} Scan its source again, or make its mask without refinement.`, {
      cause: error,
    });
  }
}

async function decode(bytes: Buffer, picture: SizedFile, { width, height }: Size): Promise<RgbImage> {
  try {
    return { width, height, data: await decodeRgb(bytes, { width, height, fit: 'fill' }, picture) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    throw new UserError(
      'damaged',
      `${files.name(picture)}: ${error.message}. Exclude it, or make its mask without refinement.`,
      {
        cause: error,
      },
    );
  }
}
