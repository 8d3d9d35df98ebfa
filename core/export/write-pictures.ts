/** Writes the pictures of a plan, or those that an interrupted attempt has not written. */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { JobPort } from '../jobs/protocol.ts';
import { hashFile, syncDisk, syncFile } from './files.ts';
import { forEachFile, forEachPicture } from './for-each.ts';
import type { ExportFolder } from './folder-state.ts';
import type { LineageItem, PlanItem } from './item.ts';
import type { Workshop } from './workshop.ts';

/** Pictures that are there, by file. */
export type Written = Map<string, LineageItem>;

/**
 * Find what an earlier attempt has left: every listed picture that is there with its hash.
 * @returns what was found before the signal stopped it
 */
export async function findWritten(
  folder: ExportFolder,
  items: readonly PlanItem[],
  port: JobPort<Progress>,
): Promise<Written> {
  const planned = new Map(items.map((item) => [item.file, item]));
  // A picture can be listed twice when a power loss took the file but not the line.
  const listed = [...new Map(folder.listed().map((entry) => [entry.file, entry])).values()];
  const written: Written = new Map();
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Checking what is there',
    unit: 'images',
    total: listed.length,
  });
  await forEachFile(listed, port.signal, async ({ file, ...facts }) => {
    const item = planned.get(file);
    const found = item && (await hashFile(join(folder.path, file)));
    if (found?.sha256 === facts.sha256) written.set(file, { ...item!, ...found });
    meter.add();
  });
  if (listed.length > 0) meter.finish();
  return written;
}

/** Folders of a plan's files, relative to the export. */
export function foldersOf(items: readonly PlanItem[]): string[] {
  return [...new Set(items.map(({ file }) => dirname(file)))];
}

/**
 * Write what is missing.
 * @param written what is there; grows
 * @param onWritten told of each new picture, and waited for
 * @throws UserError as `Workshop.make`; what was written stays
 */
export async function writePictures(
  folder: ExportFolder,
  items: readonly PlanItem[],
  written: Written,
  workshop: Workshop,
  port: JobPort<Progress>,
  onWritten: (item: LineageItem) => Promise<void>,
): Promise<void> {
  makeFolders(folder, items);
  const missing = items.filter(({ file }) => !written.has(file));
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Writing pictures',
    unit: 'images',
    total: items.length,
    done: written.size,
  });
  try {
    await forEachPicture(missing, workshop, port.signal, async (item) => {
      const done: LineageItem = { ...item, ...(await workshop.make(item, join(folder.path, item.file))) };
      folder.add({ file: done.file, sha256: done.sha256, bytes: done.bytes });
      written.set(done.file, done);
      await onWritten(done);
      meter.add();
    });
  } finally {
    folder.flush();
  }
  meter.finish();
}

function makeFolders(folder: ExportFolder, items: readonly PlanItem[]): void {
  for (const sub of foldersOf(items)) {
    const path = join(folder.path, sub);
    try {
      mkdirSync(path, { recursive: true });
    } catch (error) {
      throw fileError(error, 'make the folder', path);
    }
  }
}

/** Make the content of all pictures last. @returns false when the signal stopped it */
export async function syncPictures(
  folder: ExportFolder,
  items: readonly PlanItem[],
  port: JobPort<Progress>,
): Promise<boolean> {
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Securing files',
    unit: 'images',
    total: items.length,
  });
  if (await syncDisk(folder.path)) {
    meter.add(items.length);
    meter.finish();
    return !port.signal.aborted;
  }
  const done = await forEachFile(items, port.signal, async ({ file }) => {
    await syncFile(join(folder.path, file));
    meter.add();
  });
  meter.finish();
  return done;
}
