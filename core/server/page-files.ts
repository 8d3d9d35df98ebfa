/**
 * The built page: a few files, read once for each build. Any other address of the page is a screen of it, and gets its
 * index. After a new build the next screen that is loaded is of that one; a page that is open goes on with the files of its
 * own build.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
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

const INDEX = '/index.html';

/** What the build puts here carries a hash in its name. */
const HASHED = '/assets/';

/** A build writes its files within this time, milliseconds. */
const SETTLED = 1000;

type Files = ReadonlyMap<string, { bytes: Uint8Array<ArrayBuffer>; media: string }>;

export class PageFiles {
  readonly #folder: string;
  /** The build that was read; undefined when it may not have been whole yet. */
  #build: string | undefined;
  #files: Files;
  #before: Files = new Map();

  /** @param folder of the built page; a folder that is not there has no page */
  constructor(folder: string) {
    this.#folder = folder;
    this.#build = buildOf(folder);
    this.#files = filesBelow(folder);
  }

  /** Whether there is no page. */
  get empty(): boolean {
    return this.#files.size === 0;
  }

  /** @param path decoded path of the address, as in "/p/1/explore" */
  get(path: string): Response | undefined {
    const address = extname(path) === '' ? INDEX : path;
    if (address === INDEX) this.#follow();
    const file = this.#files.get(address) ?? this.#before.get(address);
    if (!file) return undefined;
    const cache = address.startsWith(HASHED) ? 'private, max-age=31536000, immutable' : 'no-cache';
    return new Response(file.bytes, { headers: { 'content-type': file.media, 'cache-control': cache } });
  }

  /** Read the page again where a new build has replaced it. */
  #follow(): void {
    const build = buildOf(this.#folder);
    if (build === undefined || build === this.#build) return;
    this.#before = this.#files;
    this.#files = filesBelow(this.#folder);
    this.#build = build;
  }
}

/** The build whose files lie there; undefined while one is under way, and where there is none. */
function buildOf(folder: string): string | undefined {
  const stats = statSync(join(folder, INDEX), { throwIfNoEntry: false });
  if (!stats || Math.abs(Date.now() - stats.mtimeMs) < SETTLED) return undefined;
  return `${stats.ino} ${stats.size} ${stats.mtimeMs}`;
}

function filesBelow(folder: string): Files {
  const files = new Map<string, { bytes: Uint8Array<ArrayBuffer>; media: string }>();
  for (const path of pathsBelow(folder)) {
    const media = MEDIA[extname(path)] ?? 'application/octet-stream';
    const address = `/${relative(folder, path).split(sep).join('/')}`;
    files.set(address, { bytes: Uint8Array.from(readFileSync(path)), media });
  }
  return files;
}

function pathsBelow(folder: string): string[] {
  try {
    return readdirSync(folder, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => join(entry.parentPath, entry.name));
  } catch {
    // The page has not been built: the service answers programs all the same.
    return [];
  }
}
