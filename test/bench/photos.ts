/**
 * ResNet-18 on 128 px photographs from disk: an epoch's worth of cross-entropy steps, random resized crop, flip and colour
 * jitter, ours against torchvision's ImageFolder and DataLoader with two workers and PyTorch eager in the better of its
 * memory layouts. Alternating, each in a process of its own.
 */
import { join } from 'node:path';
import { median, runPairs } from './pairs.ts';
import { photoFiles } from './photo-files.ts';
import { peerDevice, runOurs, runPython, THREADS, versionsOfBoth } from './programs.ts';

/** What either program prints. */
interface Rates {
  imagesPerSecond: number;
  /** Of the input without any training. */
  input: number;
  /** Ours only. */
  inputShare?: number;
}

export async function photos({ pairs = 5, images = 2000, batch = 64 }): Promise<object> {
  const folder = join(await photoFiles(), 'train');
  const ours = (): Rates => runOurs<Rates>('photos-ours.ts', { folder, batch, images });
  const peer = (some: number, channelsLast: boolean): Rates => {
    const spec = {
      batch,
      images: some,
      threads: THREADS,
      workers: 2,
      channels_last: channelsLast,
      device: peerDevice(),
    };
    return runPython<Rates>([join(import.meta.dirname, 'photos_torch.py'), folder, JSON.stringify(spec)]);
  };
  // Which layout suits it better is looked up once, over a few steps.
  const few = Math.min(images, 6 * batch);
  const channelsLast = peer(few, true).imagesPerSecond > peer(few, false).imagesPerSecond;
  const inputs: { ours: number[]; peer: number[] } = { ours: [], peer: [] };
  const shares: number[] = [];
  const result = await runPairs({
    name: 'photos',
    unit: 'images/s',
    greaterIsBetter: true,
    versions: {
      ...versionsOfBoth(),
      torchvision: '0.28.0',
      peerLayout: channelsLast ? 'channels last' : 'channels first',
    },
    pairs,
    ours: () => {
      const { imagesPerSecond, input, inputShare = 0 } = ours();
      inputs.ours.push(input);
      shares.push(inputShare);
      return imagesPerSecond;
    },
    peer: () => {
      const { imagesPerSecond, input } = peer(images, channelsLast);
      inputs.peer.push(input);
      return imagesPerSecond;
    },
  });
  const inputRatio = median(inputs.ours.map((rate, i) => rate / inputs.peer[i]));
  const input = { ours: median(inputs.ours), peer: median(inputs.peer), ratio: inputRatio };
  return { ...result, input, inputShare: median(shares) };
}
