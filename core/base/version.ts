/** What this program calls itself, for everything that records how it was made. */
import { readFileSync } from 'node:fs';

const { version }: { version: string } = JSON.parse(
  readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
);

/** Version of Contexture, as in package.json. */
export const CODE_VERSION: string = version;
