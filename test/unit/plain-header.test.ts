/** Facts read without libvips are those that libvips tells, for every file, however it was damaged. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { sniffFormat } from '../../core/data/formats.ts';
import { closerFacts } from '../../core/data/inspect-closer.ts';
import { plainFacts } from '../../core/data/plain-header.ts';
import { encoded, patternPixels, rgbPng, turnedFile } from '../fixtures/images.ts';

const pixels = patternPixels(45, 28);
const picture = sharp(pixels.data, { raw: { width: 45, height: 28, channels: 3 } });
const plainOf = (bytes: Buffer) => plainFacts(sniffFormat(bytes)!, bytes);

async function plainFiles(): Promise<Record<string, Buffer>> {
  const grey = picture.clone().toColourspace('b-w');
  return {
    jpeg: await picture.clone().jpeg().toBuffer(),
    progressive: await picture.clone().jpeg({ progressive: true, chromaSubsampling: '4:4:4' }).toBuffer(),
    optimised: await picture.clone().jpeg({ mozjpeg: true }).toBuffer(),
    'grey jpeg': await grey.clone().jpeg().toBuffer(),
    'jpeg with a profile': await picture.clone().withIccProfile('p3').jpeg().toBuffer(),
    png: rgbPng(pixels),
    'interlaced png': await picture.clone().png({ progressive: true }).toBuffer(),
    'palette png': await picture.clone().png({ palette: true, colours: 5 }).toBuffer(),
    'grey png': await grey.clone().png().toBuffer(),
    'alpha png': await picture.clone().ensureAlpha(0.5).png().toBuffer(),
    'deep png': await picture.clone().toColourspace('rgb16').png().toBuffer(),
  };
}

test('plain files are told without libvips, as libvips tells them', async () => {
  for (const [name, bytes] of Object.entries(await plainFiles())) {
    const facts = plainOf(bytes);
    assert.ok(facts, `${name} is plain`);
    assert.deepEqual(facts, await closerFacts(bytes, sniffFormat(bytes)!), name);
  }
});

test('what is not plain is left to libvips', async () => {
  const cmyk = await picture.clone().toColourspace('cmyk').jpeg().toBuffer();
  const text = await picture
    .clone()
    .withExif({ IFD0: { Copyright: 'x' } })
    .png()
    .toBuffer();
  const files = {
    cmyk,
    text,
    'turned jpeg': await turnedFile(pixels, 6, 'jpeg'),
    'turned png': await turnedFile(pixels, 6, 'png'),
    webp: await encoded(pixels, 'webp'),
    cut: (await picture.clone().jpeg().toBuffer()).subarray(0, 400),
  };
  for (const [name, bytes] of Object.entries(files)) assert.equal(plainOf(bytes), undefined, name);
});

test('however a byte is changed, an answer is the one that libvips gives', async () => {
  const random = Random.stream(7, 'damage');
  let answers = 0;
  for (const [name, file] of Object.entries(await plainFiles())) {
    const format = sniffFormat(file)!;
    for (let round = 0; round < 400; round++) {
      const bytes = Buffer.from(file);
      const at = 3 + random.below(Math.min(bytes.length - 3, 640));
      bytes[at] = random.below(256);
      const facts = sniffFormat(bytes) === format && plainFacts(format, bytes);
      if (!facts) continue;
      answers += 1;
      assert.deepEqual(facts, await closerFacts(bytes, format), `${name}, byte ${at} is ${bytes[at]}`);
    }
  }
  assert.ok(answers > 500, `${answers} of the changed files are still plain`);
});
