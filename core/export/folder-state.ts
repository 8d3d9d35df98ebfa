/**
 * What an export folder is at: new, under way or finished. While under way it holds two more files:
 *
 *     unfinished.json     which plan it belongs to
 *     finished.jsonl      a line for each picture that is there
 *
 * Pictures are written under their names and are not synced one by one; an interrupted export believes its list only where
 * the file has the size and hash that the list says, and writes all others again, so a kill or a power loss costs the last
 * pictures, never a wrong one. When all are there, pictures and folders are synced (at once where the system can), the
 * lineage is written and synced meanwhile, then the manifest, and only then the two files go.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { removeLeftovers, syncFolder, writeDurably } from '../base/durable-file.ts';
import { fileError, systemCode, UserError } from '../base/errors.ts';
import { MANIFEST_FILE } from './manifest.ts';

const UNFINISHED_FILE = 'unfinished.json';
const LIST_FILE = 'finished.jsonl';

const Unfinished = z.looseObject({ format: z.literal('contexture-export'), plan: z.string() });

/** A picture that was written. */
export const WrittenFile = z.strictObject({ file: z.string(), sha256: z.string(), bytes: z.int() });
export type WrittenFile = z.infer<typeof WrittenFile>;

export class ExportFolder {
  readonly path: string;
  #pending: WrittenFile[] = [];

  private constructor(path: string) {
    this.path = path;
  }

  /**
   * Take a folder for an export: a new or empty one, or one in which the same plan was interrupted.
   * @param plan hash of the plan
   * @throws UserError 'exists' when something else is there; 'no-permission', 'no-space'
   */
  static open(path: string, plan: string): ExportFolder {
    const content = listFolder(path);
    if (content.length > 0) checkPlan(path, plan);
    else
      writeDurably(join(path, UNFINISHED_FILE), [
        Buffer.from(`${JSON.stringify({ format: 'contexture-export', plan })}\n`),
      ]);
    return new ExportFolder(path);
  }

  /** The pictures that an earlier attempt has listed; whether they are all right is not looked at. */
  listed(): WrittenFile[] {
    let text: string;
    try {
      text = readFileSync(join(this.path, LIST_FILE), 'utf8');
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return [];
      throw fileError(error, 'go on with the export', this.path);
    }
    // The last line can be cut short.
    return text.split('\n').flatMap((line) => parseWritten(line));
  }

  /** List a picture that is there; kept in memory until `flush`. */
  add(written: WrittenFile): void {
    this.#pending.push(written);
    if (this.#pending.length >= 64) this.flush();
  }

  flush(): void {
    if (this.#pending.length === 0) return;
    const lines = this.#pending.map((written) => `${JSON.stringify(written)}\n`).join('');
    try {
      // A line that was cut short before must not swallow ours.
      appendFileSync(join(this.path, LIST_FILE), `\n${lines}`);
    } catch (error) {
      throw fileError(error, 'write the export', this.path);
    }
    this.#pending = [];
  }

  /** All is written and synced: drop what says otherwise. */
  finish(): void {
    for (const name of [LIST_FILE, UNFINISHED_FILE]) rmSync(join(this.path, name), { force: true });
    syncFolder(this.path);
  }
}

/** True when an export in this folder was interrupted. */
export function isUnfinished(folder: string): boolean {
  return existsSync(join(folder, UNFINISHED_FILE));
}

function listFolder(path: string): string[] {
  try {
    // What a power loss right at the start can leave.
    removeLeftovers(path);
    return readdirSync(path);
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return [];
    throw fileError(error, 'export', path);
  }
}

function checkPlan(path: string, plan: string): void {
  if (!isUnfinished(path)) {
    const what = existsSync(join(path, MANIFEST_FILE)) ? 'holds a finished export' : 'is not empty';
    throw new UserError('exists', `${path} ${what}: nothing there is overwritten. Choose a new folder.`);
  }
  const found = Unfinished.safeParse(parseJson(readFileSync(join(path, UNFINISHED_FILE), 'utf8')));
  if (found.success && found.data.plan === plan) return;
  throw new UserError(
    'exists',
    `${path} holds an unfinished export of another recipe, data set or version. Choose a new folder, or delete that one.`,
  );
}

function parseWritten(line: string): WrittenFile[] {
  const parsed = WrittenFile.safeParse(parseJson(line));
  return parsed.success ? [parsed.data] : [];
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
