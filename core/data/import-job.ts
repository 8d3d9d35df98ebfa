/**
 * The import job: reads a source file by file and tells what it finds. It never opens the project; the service stores
 * its events as they come, so that whatever was read stays when it is cut short, and hands it what is known the next
 * time.
 */
import { readFile } from 'node:fs/promises';
import { fileError, UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import type { NewProblem, Source } from '../storage/records.ts';
import { ClassLedger } from './class-ledger.ts';
import { decideLayout, type Layout, type LayoutDecision } from './layout.ts';
import { lookThrough } from './look-through.ts';
import type { FileFacts } from './look.ts';
import { judge, surveySource, type Finding, type FoundImage } from './scan.ts';
import { openSource } from './sources/open.ts';
import type { ImageSource } from './sources/source.ts';

export interface ImportSpec {
  kind: Source['kind'];
  /** Absolute. */
  path: string;
  layout: Layout | 'auto';
  /** The layout of the first import, which a later one of the same source keeps; null when there is none. */
  decided: LayoutDecision | null;
  /** Absolute real paths of folders that are not looked into. */
  exclude: string[];
  /** File of `KnownFile` lines, or null. */
  knownFile: string | null;
}

/** One line of the file that says what an earlier import found. */
export interface KnownFile extends FileFacts {
  /** `ImageRecord.id`. */
  id: number;
  path: string;
}

export type ImportEvent =
  | Progress
  | ({ type: 'layout' } & LayoutDecision)
  | { type: 'images'; images: FoundImage[] }
  | { type: 'problems'; problems: NewProblem[] }
  /** Ids of known pictures that can no longer be used. Sent at the end only, when all has been seen. */
  | { type: 'lost'; missing: number[]; changed: number[] };

export interface ImportResult extends LayoutDecision {
  /** Files seen, pictures or not. */
  files: number;
  /** Usable pictures, and how they compare to what was known. */
  images: number;
  added: number;
  unchanged: number;
  changed: number;
  /** Known pictures that can no longer be used. */
  missing: number;
  classes: number;
}

/** Pictures or problems in one event, which is one transaction of the database. */
const BATCH = 1024;

/** How long a picture that was read may wait for more of them, milliseconds. */
const LONGEST_WAIT = 1000;

/**
 * Import a source.
 * @throws UserError 'cancelled'; 'not-found', 'no-permission' or 'damaged' when the source itself cannot be read
 */
export const importJob: Job<ImportSpec, ImportEvent, ImportResult> = async (spec, port) => {
  const known = spec.knownFile === null ? new Map<string, KnownFile>() : await readKnown(spec.knownFile);
  const source = await openSource(spec, spec.exclude);
  try {
    return await new Import(source, known, port).run(spec);
  } finally {
    await source.close();
  }
};

class Import {
  readonly #source: ImageSource;
  readonly #known: Map<string, KnownFile>;
  readonly #port: JobPort<ImportEvent>;
  readonly #ledger = new ClassLedger();
  readonly #counts = { images: 0, added: 0, unchanged: 0, changed: 0 };
  readonly #lost = { missing: new Array<number>(), changed: new Array<number>() };
  #images: FoundImage[] = [];
  #problems: NewProblem[] = [];
  /** When the last event was sent. */
  #flushed = performance.now();

  constructor(source: ImageSource, known: Map<string, KnownFile>, port: JobPort<ImportEvent>) {
    this.#source = source;
    this.#known = known;
    this.#port = port;
  }

  async run(spec: ImportSpec): Promise<ImportResult> {
    const { layout, prefix, files } = await this.#survey(spec);
    const meter = new ProgressMeter((event) => this.#port.emit(event), {
      stage: 'Reading pictures',
      unit: 'files',
      total: files,
    });
    const seen = new Set<string>();
    for await (const { items, looks } of lookThrough(this.#source, files, this.#known, this.#port.signal)) {
      let next = 0;
      for (const item of items) {
        if (item.type === 'file') {
          seen.add(item.file.path);
          this.#take(judge(item, looks[next++], this.#known.get(item.file.path), { layout, prefix }));
          meter.add();
        } else if (item.type === 'folder') {
          this.#ledger.addFolder(item.path);
        } else {
          this.#problems.push(item.problem);
        }
      }
      this.#flush(performance.now() - this.#flushed < LONGEST_WAIT ? BATCH : 1);
      await this.#port.drained();
    }
    this.#flush(1);
    this.#stopIfCancelled();
    this.#findVanished(seen);
    this.#problems.push(...this.#ledger.problems());
    this.#flush(1);
    const { missing, changed } = this.#lost;
    if (missing.length + changed.length > 0) this.#port.emit({ type: 'lost', missing, changed });
    meter.finish();
    return {
      layout,
      prefix,
      files: seen.size,
      ...this.#counts,
      missing: missing.length + changed.length,
      classes: this.#ledger.classes,
    };
  }

  /** Count the files and decide the layout. */
  async #survey(spec: ImportSpec): Promise<LayoutDecision & { files: number }> {
    const meter = new ProgressMeter((event) => this.#port.emit(event), {
      stage: 'Looking through the source',
      unit: 'files',
      total: null,
    });
    const { folders, files } = await surveySource(this.#source, () => meter.add(), this.#port.signal);
    this.#stopIfCancelled();
    meter.finish();
    const decision =
      spec.kind === 'csv' ? { layout: 'class' as const, prefix: '', problems: [] } : decideLayout(folders, spec.layout);
    const kept = spec.layout === 'auto' && spec.decided ? spec.decided : decision;
    const { layout, prefix } = kept;
    if (kept === decision) {
      this.#problems.push(...decision.problems);
    } else if (decision.layout !== layout || decision.prefix !== prefix) {
      const reason =
        'The folders look different from the first import, whose reading of them is kept. ' +
        `To read them anew, import with layout "${decision.layout}".`;
      this.#problems.push({ path: '', kind: 'layout-doubt', severity: 'warning', reason });
    }
    this.#port.emit({ type: 'layout', layout, prefix });
    return { layout, prefix, files };
  }

  #take(finding: Finding): void {
    this.#problems.push(...finding.problems);
    if (finding.lost) this.#lost[finding.lost].push(this.#known.get(finding.path)!.id);
    const { image, status } = finding;
    if (!image) return;
    this.#images.push(image);
    this.#counts.images += 1;
    this.#counts[status ?? 'added'] += 1;
    this.#ledger.addImage(image.path, image.className, image.split, finding.spelling ?? image.className);
  }

  #findVanished(seen: ReadonlySet<string>): void {
    for (const { id, path } of this.#known.values()) {
      if (seen.has(path)) continue;
      this.#lost.missing.push(id);
      const reason = 'The picture was there at the last import and is gone. It is not used until it is back.';
      this.#problems.push({ path, kind: 'vanished', severity: 'error', reason });
    }
  }

  /** Send what has gathered, once there are `least` of a kind. */
  #flush(least: number): void {
    if (Math.max(this.#images.length, this.#problems.length) < least) return;
    this.#flushed = performance.now();
    if (this.#images.length >= least) {
      this.#port.emit({ type: 'images', images: this.#images });
      this.#images = [];
    }
    for (; this.#problems.length >= least;) {
      this.#port.emit({ type: 'problems', problems: this.#problems.splice(0, BATCH) });
    }
  }

  #stopIfCancelled(): void {
    if (!this.#port.signal.aborted) return;
    const kept = this.#counts.images;
    throw new UserError(
      'cancelled',
      `The import was cancelled. The ${kept} pictures read so far are kept; import again to go on.`,
    );
  }
}

/** @throws UserError when the file is gone */
async function readKnown(path: string): Promise<Map<string, KnownFile>> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read what is known of the pictures', path);
  }
  const known = new Map<string, KnownFile>();
  for (const line of text.split('\n')) {
    if (line === '') continue;
    const file: KnownFile = JSON.parse(line);
    known.set(file.path, file);
  }
  return known;
}
