/** The backgrounds job: reads a folder of plain backgrounds file by file and tells which pictures are in it. */
import { UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { Job } from '../jobs/protocol.ts';
import type { NewProblem } from '../storage/records.ts';
import { lookThrough } from './look-through.ts';
import type { FileFacts } from './look.ts';
import { surveySource } from './scan.ts';
import { openSource } from './sources/open.ts';

export interface BackgroundsSpec {
  /** Absolute path of a folder; its subfolders are looked into. */
  path: string;
  /** Absolute real paths of folders that are not looked into. */
  exclude: string[];
}

/** A picture as it was found. */
export interface FoundBackground extends FileFacts {
  path: string;
  /** Base64 of the exact path where the text is not exact. */
  pathBytes?: string;
}

/** What was found since the last event. */
export interface FoundBackgrounds {
  type: 'found';
  pictures: FoundBackground[];
  problems: NewProblem[];
}

export type BackgroundsEvent = Progress | FoundBackgrounds;

export interface BackgroundsResult {
  /** Files seen, pictures or not. */
  files: number;
}

/** @throws UserError 'cancelled'; 'not-found' or 'no-permission' when the folder itself cannot be read */
export const backgroundsJob: Job<BackgroundsSpec, BackgroundsEvent, BackgroundsResult> = async (spec, port) => {
  const source = await openSource({ kind: 'folder', path: spec.path }, spec.exclude);
  try {
    const { files } = await surveySource(source, () => {}, port.signal);
    const meter = new ProgressMeter((event) => port.emit(event), {
      stage: 'Reading backgrounds',
      unit: 'files',
      total: files,
    });
    for await (const { items, looks } of lookThrough(source, files, new Map(), port.signal)) {
      const event: FoundBackgrounds = { type: 'found', pictures: [], problems: [] };
      let next = 0;
      for (const item of items) {
        if (item.type === 'problem') event.problems.push(item.problem);
        if (item.type !== 'file') continue;
        const look = looks[next++];
        meter.add();
        if (look.type === 'refused') event.problems.push(look.problem);
        if (look.type !== 'picture') continue;
        const { path, pathBytes } = item.file;
        const exact = pathBytes ? { pathBytes: Buffer.from(pathBytes).toString('base64') } : {};
        event.pictures.push({ path, ...exact, ...look.facts });
        event.problems.push(...look.notes);
      }
      port.emit(event);
      await port.drained();
    }
    if (port.signal.aborted) {
      throw new UserError('cancelled', 'Adding backgrounds was cancelled. Those read so far are in the bank.');
    }
    meter.finish();
    return { files };
  } finally {
    await source.close();
  }
};
