/** Icons for each system from the page's one drawing. Both container formats hold PNGs as they are. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import sharp from 'sharp';

/** Sides, pixels. */
const LINUX = [16, 32, 48, 64, 128, 256, 512];
const WINDOWS = [16, 24, 32, 48, 64, 128, 256];
/** Apple's name of each size. */
const APPLE: readonly (readonly [name: string, side: number])[] = [
  ['icp4', 16],
  ['icp5', 32],
  ['ic07', 128],
  ['ic08', 256],
  ['ic09', 512],
  ['ic10', 1024],
];

/** Write `SIZExSIZE.png`, `icon.ico` and `icon.icns`. @param drawing an SVG file */
export async function makeIcons(drawing: string, folder: string): Promise<void> {
  const svg = readFileSync(drawing);
  // Rendered at its final size, not enlarged: the density is per inch of 72 points.
  const png = async (side: number): Promise<Buffer> => {
    const { width } = await sharp(svg).metadata();
    return sharp(svg, { density: (72 * side) / width })
      .resize(side, side)
      .png()
      .toBuffer();
  };
  mkdirSync(folder, { recursive: true });
  for (const side of LINUX) writeFileSync(join(folder, `${side}x${side}.png`), await png(side));
  writeFileSync(
    join(folder, 'icon.ico'),
    ico(await Promise.all(WINDOWS.map(async (side) => ({ side, data: await png(side) })))),
  );
  writeFileSync(
    join(folder, 'icon.icns'),
    icns(await Promise.all(APPLE.map(async ([name, side]) => ({ name, data: await png(side) })))),
  );
}

function ico(pictures: readonly { side: number; data: Buffer }[]): Buffer {
  const head = Buffer.alloc(6 + 16 * pictures.length);
  head.writeUInt16LE(1, 2);
  head.writeUInt16LE(pictures.length, 4);
  let offset = head.length;
  for (const [index, { side, data }] of pictures.entries()) {
    const entry = 6 + 16 * index;
    // One byte each: 256 is written as 0.
    head.writeUInt8(side & 255, entry);
    head.writeUInt8(side & 255, entry + 1);
    head.writeUInt16LE(1, entry + 4);
    head.writeUInt16LE(32, entry + 6);
    head.writeUInt32LE(data.length, entry + 8);
    head.writeUInt32LE(offset, entry + 12);
    offset += data.length;
  }
  return Buffer.concat([head, ...pictures.map(({ data }) => data)]);
}

function icns(pictures: readonly { name: string; data: Buffer }[]): Buffer {
  const chunks = pictures.flatMap(({ name, data }) => [chunkHead(name, data.length), data]);
  const body = Buffer.concat(chunks);
  return Buffer.concat([chunkHead('icns', body.length), body]);
}

/** Four letters, and the length with this head. */
function chunkHead(name: string, length: number): Buffer {
  const head = Buffer.alloc(8, name, 'latin1');
  head.writeUInt32BE(length + 8, 4);
  return head;
}
