/** What a browser loads of the built page: `bundleBytes`, in all and by kind of file, and as `gzip -9` would send it. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { ensureBuilt } from '../../build/outputs.ts';

const PAGE = join(import.meta.dirname, '../../out/page');

const plain = (bytes: Buffer): number => bytes.length;

/** Sizes of all files of the page, bytes. */
export async function bundleBench(): Promise<object> {
  await ensureBuilt('page');
  const files = readdirSync(PAGE, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => ({ name: entry.name, bytes: readFileSync(join(entry.parentPath, entry.name)) }));
  const sum = (of: (bytes: Buffer) => number, kind?: string): number =>
    files
      .filter(({ name }) => kind === undefined || extname(name) === kind)
      .reduce((total, { bytes }) => total + of(bytes), 0);
  return {
    bundleBytes: {
      all: sum(plain),
      gzip: sum((bytes) => gzipSync(bytes, { level: 9 }).length),
      js: sum(plain, '.js'),
      css: sum(plain, '.css'),
      files: files.length,
    },
  };
}
