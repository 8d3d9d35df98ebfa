/** One file with the licences of all parts, for the about box. */
import { existsSync, globSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type NpmPackage, runtimePackages } from './packages.ts';

/** Names of a package's licence files, at its top. */
const LICENCE_FILE = /^(?:licen[cs]e|copying|notice)/i;

interface Part {
  readonly title: string;
  readonly text: string;
}

/**
 * @param root the project
 * @param others more parts: title, and the file with the licence
 */
export function licences(root: string, others: readonly (readonly [title: string, file: string])[]): string {
  const parts = [
    { title: 'Contexture', text: readFileSync(join(root, 'LICENSE'), 'utf8') },
    ...others.map(([title, file]) => ({ title, text: readFileSync(file, 'utf8') })),
    ...runtimePackages(root).map((one) => packagePart(root, one)),
    ...bundledParts(root),
  ];
  const line = '='.repeat(78);
  return parts.map(({ title, text }) => `${line}\n${title}\n${line}\n\n${text.trim()}\n`).join('\n\n');
}

function packagePart(root: string, { name, version, path }: NpmPackage): Part {
  const folder = join(root, path);
  const files = readdirSync(folder).filter((file) => LICENCE_FILE.test(file));
  const { license, homepage }: Record<string, string | undefined> = JSON.parse(
    readFileSync(join(folder, 'package.json'), 'utf8'),
  );
  const texts = files.map((file) => readFileSync(join(folder, file), 'utf8').trim());
  if (texts.length === 0) texts.push(`Licence: ${license ?? 'not stated'}. ${homepage ?? ''}`);
  return { title: `${name} ${version}`, text: texts.join('\n\n') };
}

/** What Vite says it has bundled into the page and the shell. */
function bundledParts(root: string): Part[] {
  return globSync(join(root, 'out', '*', 'licences.md')).map((file) => ({
    title: file.includes('page') ? 'Parts of the page' : 'Parts of the shell',
    text: readFileSync(file, 'utf8'),
  }));
}

/** Licences that lie beside programs: of Electron and of Node, where those are there. */
export function programLicences(electron: string, node: string): [title: string, file: string][] {
  const candidates: [string, string[]][] = [
    ['Electron', ['LICENSE', 'LICENSE.electron.txt'].map((name) => join(electron, name))],
    ['Node', [join(node, '..', '..', 'LICENSE'), join(node, '..', 'LICENSE')]],
  ];
  return candidates.flatMap(([title, files]): [string, string][] => {
    const file = files.find((one) => existsSync(one));
    return file === undefined ? [] : [[title, file]];
  });
}
