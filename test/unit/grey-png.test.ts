import assert from 'node:assert/strict';
import { test } from 'node:test';
import sharp from 'sharp';
import { Random } from '../../core/base/random.ts';
import { decodeGrey, encodeGrey } from '../../core/data/decode.ts';
import { decodeSmallGrey, encodeSmallGrey } from '../../core/data/grey-png.ts';

function noise(seed: number, width: number, height: number): { width: number; height: number; data: Uint8Array } {
  const random = Random.stream(seed, 'grey');
  const data = Uint8Array.from({ length: width * height }, (_, at) => (at % width) * 3 + random.below(40));
  return { width, height, data };
}

test('a small file is what libvips reads, and libvips writes what is read here, whatever the filters', async () => {
  for (const [width, height] of [
    [1, 1],
    [1, 40],
    [53, 1],
    [97, 61],
    [128, 128],
  ]) {
    const grey = noise(width, width, height);
    const bytes = encodeSmallGrey(grey.data, grey);
    const { data, info } = await sharp(bytes).toColourspace('b-w').raw().toBuffer({ resolveWithObject: true });
    assert.deepEqual([info.width, info.height, info.channels], [width, height, 1]);
    assert.deepEqual(new Uint8Array(data), grey.data);
    assert.deepEqual(decodeSmallGrey(bytes), grey);
    for (const adaptiveFiltering of [false, true]) {
      const written = await sharp(grey.data, { raw: { width, height, channels: 1 } })
        .toColourspace('b-w')
        .png({ adaptiveFiltering })
        .toBuffer();
      const read = decodeSmallGrey(written);
      if (read) assert.deepEqual(read, grey);
      assert.deepEqual(new Uint8Array((await decodeGrey(written)).data), grey.data);
    }
    assert.deepEqual(await encodeGrey(grey), bytes);
  }
});

test('anything but the plainest file is left to libvips', async () => {
  const grey = noise(1, 30, 20);
  const bytes = encodeSmallGrey(grey.data, grey);
  const raw = { raw: { width: 30, height: 20, channels: 1 } } as const;
  const other = [
    await sharp(grey.data, raw).png().toColourspace('srgb').toBuffer(),
    await sharp(grey.data, raw).toColourspace('b-w').png({ progressive: true }).toBuffer(),
    await sharp(grey.data, raw).jpeg().toBuffer(),
    Buffer.from('no picture'),
    bytes.subarray(0, bytes.length - 6),
    await encodeGrey(noise(2, 129, 128)),
  ];
  for (const file of other) assert.equal(decodeSmallGrey(file), undefined);
  for (let at = 0; at < bytes.length; at++) {
    const changed = Buffer.from(bytes);
    changed[at] ^= 0x11;
    assert.equal(decodeSmallGrey(changed), undefined, `byte ${at}`);
  }
});
