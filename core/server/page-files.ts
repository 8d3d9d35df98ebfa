/** The built page: a few files, read once. Any other address of the page is a screen of it, and gets its index. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname, join, relative, sep } from 'node:path';

const MEDIA: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.ico': 'image/x-icon',
  '.woff2': 'font/woff2',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
};

export class PageFiles {
  readonly #files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; media: string }>();

  /** @param folder of the built page; a folder that is not there has no page */
  constructor(folder: string) {
    for (const path of filesBelow(folder)) {
      const address = `/${relative(folder, path).split(sep).join('/')}`;
      const media = MEDIA[extname(path)] ?? 'application/octet-stream';
      this.#files.set(address, { bytes: Uint8Array.from(readFileSync(path)), media });
    }
  }

  /** Whether there is no page. */
  get empty(): boolean {
    return this.#files.size === 0;
  }

  /** @param path decoded path of the address, as in "/p/1/explore" */
  get(path: string): Response | undefined {
    const file = this.#files.get(path) ?? (extname(path) === '' ? this.#files.get('/index.html') : undefined);
    if (!file) return undefined;
    // What the build puts into assets/ carries a hash in its name.
    const cache = path.startsWith('/assets/') ? 'private, max-age=31536000, immutable' : 'no-cache';
    return new Response(file.bytes, { headers: { 'content-type': file.media, 'cache-control': cache } });
  }
}

function filesBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    // The page has not been built: the service answers programs all the same.
    return [];
  }
}
