/**
 * "Make a sample data set": writes what core/data/sample draws as an ordinary folder of class folders,
 *
 *     FOLDER/train/<class>/*.png   FOLDER/test/<class>/*.png   FOLDER/scenes.csv
 *
 * The table says which scene each picture shows; importing the folder needs nothing of it. The settings are fixed, not
 * tuned on any method's result.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync, rmSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { randomUUID } from 'node:crypto';
import { dirname, join, resolve } from 'node:path';
import { parse } from 'csv-parse/sync';
import sharp from 'sharp';
import { z } from 'zod';
import { TEMPORARY_SUFFIX } from '../base/durable-file.ts';
import { fileError, UserError } from '../base/errors.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import { planSample, SampleSettings, type SampleClass, type SamplePicture } from '../data/sample/plan.ts';
import { renderPicture } from '../data/sample/render.ts';
import { SCENE_NAMES, type SceneName } from '../data/sample/scenes.ts';
import { SHAPE_NAMES, type ShapeName } from '../data/sample/shapes.ts';
import type { WorkPort } from '../jobs/protocol.ts';

export const SCENE_TABLE = 'scenes.csv';
/** Pictures that are compressed and written at the same time. */
const BATCH = 64;

export interface SampleSummary {
  /** Absolute. */
  folder: string;
  classes: SampleClass[];
  trainImages: number;
  testImages: number;
}

/** What a sample data set is made of; what is left out has a default. */
export type SampleInput = z.input<typeof SampleSettings>;

/**
 * Write a sample data set. The folder appears when all of it is there; a cancelled or failed call leaves nothing behind.
 * Equal settings give equal files (by the same version of the PNG encoder; equal pixels by any).
 * @throws UserError 'usage' for bad settings, 'exists' when the folder has content, 'no-space', 'no-permission', 'cancelled'
 */
export async function writeSample(
  folder: string,
  input: SampleInput,
  port: WorkPort<Progress>,
): Promise<SampleSummary> {
  const settings = parseSettings(input);
  const plan = planSample(settings);
  await writePictures(folder, settings, plan.pictures, true, port);
  const trainImages = plan.pictures.filter(({ split }) => split === 'train').length;
  return {
    folder: resolve(folder),
    classes: plan.classes,
    trainImages,
    testImages: plan.pictures.length - trainImages,
  };
}

/**
 * Write the backgrounds of the test pictures, each exactly as it is behind its object, in the same layout. What a trained
 * model makes of them shows how far it goes by the scene; see `falseLink` in core/evaluation/scenes.ts.
 * @param input the settings of the data set
 * @returns number of pictures
 * @throws UserError as `writeSample`
 */
export async function writeBackgrounds(folder: string, input: SampleInput, port: WorkPort<Progress>): Promise<number> {
  const settings = parseSettings(input);
  const pictures = planSample(settings).pictures.filter(({ split }) => split === 'test');
  await writePictures(folder, settings, pictures, false, port);
  return pictures.length;
}

function parseSettings(input: SampleInput): SampleSettings {
  const parsed = SampleSettings.safeParse(input);
  if (parsed.success) return parsed.data;
  const [{ path, message }] = parsed.error.issues;
  throw new UserError('usage', `The sample's setting "${path.join('.')}" is not valid: ${message}.`);
}

async function writePictures(
  folder: string,
  settings: SampleSettings,
  pictures: readonly SamplePicture[],
  withObject: boolean,
  port: WorkPort<Progress>,
): Promise<void> {
  const target = resolve(folder);
  const temporary = join(dirname(target), `${randomUUID()}${TEMPORARY_SUFFIX}`);
  const { seed, size } = settings;
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Drawing pictures',
    unit: 'images',
    total: pictures.length,
  });
  try {
    if (existsSync(target) && readdirSync(target).length > 0) {
      throw new UserError('exists', `${target} is not empty: choose a new folder for the sample data set.`);
    }
    for (const sub of new Set(pictures.map(({ file }) => dirname(file))))
      await mkdir(join(temporary, sub), { recursive: true });
    for (let start = 0; start < pictures.length; start += BATCH) {
      if (port.signal.aborted) throw new UserError('cancelled', 'The sample data set was not made: you stopped it.');
      const batch = pictures.slice(start, start + BATCH);
      await Promise.all(
        batch.map(async (picture) => {
          const pixels = renderPicture(seed, size, picture, withObject);
          const png = await sharp(pixels, { raw: { width: size, height: size, channels: 3 } })
            .png()
            .toBuffer();
          await writeFile(join(temporary, picture.file), png);
        }),
      );
      meter.add(batch.length);
    }
    await writeFile(join(temporary, SCENE_TABLE), sceneTable(pictures));
    mkdirSync(dirname(target), { recursive: true });
    // Windows does not rename over an empty folder.
    if (existsSync(target)) rmdirSync(target);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { recursive: true, force: true });
    throw fileError(error, 'write the sample data set', target);
  }
  meter.finish();
}

function sceneTable(pictures: readonly SamplePicture[]): string {
  const rows = pictures.map(({ file, class: name, scene, split, seen }) => [file, name, scene, split, seen].join(','));
  return `${['file,class,scene,split,seen', ...rows].join('\n')}\n`;
}

const SceneRow = z
  .strictObject({
    file: z.string(),
    class: z.enum(SHAPE_NAMES),
    scene: z.enum(SCENE_NAMES),
    split: z.enum(['train', 'test']),
    seen: z.enum(['true', 'false']),
  })
  .transform((row): SamplePicture => ({ ...row, seen: row.seen === 'true' }));

export interface SceneTable {
  /** By path inside the data set, with `/`, as the import names them. */
  pictures: Map<string, SamplePicture>;
  /** The tail class that each bound scene belongs to. */
  bound: Partial<Record<SceneName, ShapeName>>;
}

/**
 * Read the table beside a sample data set's pictures.
 * @throws UserError 'not-found' where there is none, 'damaged'
 */
export function readSceneTable(folder: string): SceneTable {
  const path = join(folder, SCENE_TABLE);
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw fileError(error, 'read the scenes of the sample data set', path);
  }
  let rows: SamplePicture[];
  try {
    rows = z.array(SceneRow).parse(parse(text, { columns: true }));
  } catch (error) {
    throw new UserError('damaged', `${path} is not the table of a sample data set: make the sample anew.`, {
      cause: error,
    });
  }
  return { pictures: new Map(rows.map((row) => [row.file, row])), bound: boundScenes(rows) };
}

/** A class that misses some scenes in its pictures' `seen` owns those that it has. */
function boundScenes(rows: readonly SamplePicture[]): SceneTable['bound'] {
  const tail = new Set(rows.filter(({ seen }) => !seen).map((row) => row.class));
  const bound: SceneTable['bound'] = {};
  for (const row of rows) if (row.seen && tail.has(row.class)) bound[row.scene] = row.class;
  return bound;
}
