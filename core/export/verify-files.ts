/** The part of a check that needs nothing but the folder: files, hashes, counts. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { fileError, UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { skipReason } from '../data/names.ts';
import type { JobPort } from '../jobs/protocol.ts';
import { SPLITS } from '../storage/records.ts';
import { hashFile } from './files.ts';
import { forEachFile } from './for-each.ts';
import type { LineageItem } from './item.ts';
import { readLineage } from './lineage.ts';
import { LINEAGE_FILE, LINEAGE_TABLE, MANIFEST_FILE, type ExportManifest } from './manifest.ts';
import type { VerifyProblem } from './verify-report.ts';

type Report = (kind: VerifyProblem['kind'], file: string, message: string) => void;

/** Check the two lineage files against the manifest and read the lineage. */
export async function checkLineage(out: string, manifest: ExportManifest, report: Report): Promise<LineageItem[]> {
  for (const [name, { sha256 }] of [
    [LINEAGE_FILE, manifest.lineage],
    [LINEAGE_TABLE, manifest.table],
  ] as const) {
    const found = await hashFile(join(out, name));
    if (!found) report('missing', name, `${name} is missing.`);
    else if (found.sha256 !== sha256) report('lineage', name, `${name} is not the one that the manifest names.`);
  }
  const items = new Map<string, LineageItem>();
  try {
    for await (const item of readLineage(join(out, LINEAGE_FILE))) {
      if (items.has(item.file)) report('lineage', item.file, `${item.file} is listed twice.`);
      items.set(item.file, item);
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    report('lineage', LINEAGE_FILE, error.message);
  }
  return [...items.values()];
}

/** Every class has as many pictures as the manifest says, in its own folder. */
export function checkCounts(items: readonly LineageItem[], manifest: ExportManifest, report: Report): void {
  const counts = new Map<string, number>();
  for (const { split, class: name } of items) {
    const key = `${split}/${name}`;
    counts.set(key, (counts.get(key) ?? 0) + 1);
  }
  const folders = new Map(manifest.classes.map(({ name, folder }) => [name, folder]));
  for (const { file, split, class: name } of items) {
    const folder = folders.get(name);
    if (folder === undefined || !isIn(file, `${split}/${folder}`)) {
      report('lineage', file, `${file} is not in the folder of its class "${name}".`);
    }
  }
  for (const { name, folder, pictures } of manifest.classes) {
    for (const split of SPLITS) {
      const found = counts.get(`${split}/${name}`) ?? 0;
      if (found === pictures[split]) continue;
      report(
        'count',
        `${split}/${folder}`,
        `The class "${name}" has ${found} pictures in ${split}, not ${pictures[split]}.`,
      );
    }
  }
  if (items.length !== manifest.pictures) {
    report('count', '', `There are ${items.length} pictures, not ${manifest.pictures}.`);
  }
}

function isIn(file: string, folder: string): boolean {
  return file.startsWith(`${folder}/`) && !file.slice(folder.length + 1).includes('/');
}

/** Every listed file is there as listed. @throws UserError 'cancelled' */
export async function checkFiles(
  out: string,
  items: readonly LineageItem[],
  port: JobPort<Progress>,
  report: Report,
): Promise<void> {
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Reading pictures',
    unit: 'images',
    total: items.length,
  });
  const done = await forEachFile(items, port.signal, async ({ file, sha256, bytes }) => {
    const found = await hashFile(join(out, file));
    if (!found) report('missing', file, `${file} is missing.`);
    else if (found.bytes !== bytes) report('changed', file, `${file} has ${found.bytes} bytes, not ${bytes}.`);
    else if (found.sha256 !== sha256) report('changed', file, `The content of ${file} has changed.`);
    meter.add();
  });
  if (!done) throw new UserError('cancelled', 'The check of the export was cancelled.');
  meter.finish();
}

/** Nothing else is there, empty folders included: other trainers take every folder for a class. */
export async function checkExtras(out: string, items: readonly LineageItem[], report: Report): Promise<void> {
  const expected = new Set([MANIFEST_FILE, LINEAGE_FILE, LINEAGE_TABLE, ...items.map(({ file }) => file)]);
  const folders = new Set(items.flatMap(({ file }) => foldersAbove(file)));
  const walk = async (inside: string): Promise<void> => {
    for (const entry of await entriesOf(join(out, inside))) {
      const path = inside === '' ? entry.name : `${inside}/${entry.name}`;
      if (entry.isDirectory()) {
        if (folders.has(path)) await walk(path);
        else report('extra', path, `The folder ${path} does not belong to the export.`);
      } else if (!expected.has(path) && !isSystemFile(entry.name)) {
        report('extra', path, `${path} does not belong to the export.`);
      }
    }
  };
  await walk('');
}

function foldersAbove(file: string): string[] {
  const parts = file.split('/').slice(0, -1);
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** What file managers leave in every folder that somebody looks at. */
function isSystemFile(name: string): boolean {
  return name === '.DS_Store' || skipReason(name) === 'system';
}

async function entriesOf(folder: string): Promise<{ name: string; isDirectory(): boolean }[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.toSorted((a, b) => (a.name < b.name ? -1 : 1));
  } catch (error) {
    throw fileError(error, 'check the export', folder);
  }
}
