/**
 * What a mask from saliency saves a reviewer: photographs of the pets pack, masks of a fine-tuned model (EfficientNet-Lite0,
 * its heads learned by the preset photos-20 on 70 % of the pack, among which contexts are found), and a scripted reviewer that brings each mask to
 * a given fit with the trimap through the built page in Chromium, by pointer and keys. Four arms on the same pictures: from
 * the found mask or from an empty one (all of the picture is context), with snapping to edges or without. With snapping,
 * the reviewer snaps the whole mask once, before repairs, and takes it back if the fit has become worse. All else is one
 * policy: see scripted-reviewer.ts. The backbone has to be here (`contexture backbone get efficientnet-lite0`).
 *
 * `--pictures 30` drawn at random · `--iou 95` the fit, per cent: IoU of context (M >= 0.5) with label 2, border left out ·
 * `--most 60` strokes, after which the reviewer gives up · `--epochs` fewer, for a try. Fields of the result:
 *
 * - `arms`: for each, `reached` (share of the pictures that came to the fit), and medians over pictures of `startIou`,
 *   `endIou`, `strokes` (a polygon is one, so is snapping, and taking that back), `presses` of the pointer (each corner is
 *   one), `humanS` (a model of hand and eye, see human-time.ts) and `pageS` (what the page took until strokes were stored
 *   and shown, on this machine)
 * - `pairs`: medians over the pictures of the ratio of one arm to another, of the three, times together; pictures
 *   that either arm did not bring to the fit, and those that fit from the start in both, are left out (`pictures`)
 * - `load`: of the machine over a minute, before and after
 * - `rows`: all of it, by picture
 */
import { cpSync, mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { deflateSync, inflateSync } from 'node:zlib';
import { Random } from '../../core/base/random.ts';
import { runJob } from '../../core/jobs/runner.ts';
import type { Act } from '../../core/services/contexts.ts';
import { findContexts } from '../../core/services/find-contexts.ts';
import { assignSplit } from '../../core/services/edits.ts';
import { importSource } from '../../core/services/import.ts';
import { openProject } from '../../core/storage/project.ts';
import { sqliteStorage } from '../../db/index.ts';
import type { Bitmap } from '../../renderer/pages/review/canvas/bitmap.ts';
import { unpack } from './packs.ts';
import { versions } from './programs.ts';
import { train } from './project.ts';
import { Hand } from './review-hand.ts';
import { nextStroke, outlineOf, ROUGHNESS } from './scripted-reviewer.ts';
import { withServedPage, type ServedPage } from './served-page.ts';
import { contextIou, trimapOf, type Trimap } from './trimaps.ts';

const ARMS = ['saliency', 'saliencySnap', 'empty', 'emptySnap'] as const;
type Arm = (typeof ARMS)[number];

/** What is held out says how good the model is; the rest is learned, and its contexts are found, as in the app. */
const SPLIT = { val: 0, test: 0.3, seed: 1 };
const act = (): Act => ({ author: 'bench', at: new Date().toISOString() });

interface Options {
  pictures?: number;
  iou?: number;
  most?: number;
  epochs?: number;
}

/** A mask to correct, and what it should be. */
interface Case {
  context: number;
  path: string;
  found: Bitmap;
  truth: Trimap;
}

interface Outcome {
  startIou: number;
  endIou: number;
  strokes: number;
  presses: number;
  humanS: number;
  pageS: number;
}

interface Target {
  iou: number;
  most: number;
}

/** Where a project's page and its masks are asked for. */
interface Reviewed extends ServedPage {
  project: string;
}

export async function reviewPets({ pictures = 30, iou = 95, most = 60, epochs = 0 }: Options): Promise<object> {
  const folder = mkdtempSync(join(tmpdir(), 'contexture-review-pets-'));
  const pack = unpack('pets-trimaps');
  const before = loadavg()[0];
  try {
    const { file, top1 } = await prepare(folder, pack, epochs);
    const rows = await withServedPage(folder, async (served) => {
      const { id: project } = await served.api<{ id: string }>('POST', '/api/projects', { file });
      const reviewed = { ...served, project };
      const cases = await drawCases(reviewed, pack, pictures);
      const found: (Record<Arm, Outcome> & { path: string })[] = [];
      for (const one of cases) {
        const outcomes: Partial<Record<Arm, Outcome>> = {};
        for (const arm of ARMS) outcomes[arm] = await review(reviewed, one, arm, { iou: iou / 100, most });
        const { saliency, saliencySnap, empty, emptySnap } = outcomes;
        if (!saliency || !saliencySnap || !empty || !emptySnap) throw new Error('an arm is missing');
        found.push({ path: one.path, saliency, saliencySnap, empty, emptySnap });
        console.error(`${found.length}/${cases.length} ${one.path}: strokes ${ARMS.map((arm) => outcomes[arm]?.strokes).join(' ')}`); // prettier-ignore
      }
      return found;
    });
    const reached = ({ endIou }: Outcome): boolean => endIou >= iou / 100;
    const pair = (arm: Arm, against: Arm): object => {
      const both = rows.filter((row) => reached(row[arm]) && reached(row[against]) && row[against].strokes > 0);
      const ratio = (of: (outcome: Outcome) => number): number => median(both.map((row) => of(row[arm]) / of(row[against]))); // prettier-ignore
      return {
        pictures: both.length,
        strokes: ratio(({ strokes }) => strokes),
        presses: ratio(({ presses }) => presses),
        seconds: ratio(({ humanS, pageS }) => humanS + pageS),
      };
    };
    return {
      name: 'review-pets',
      pictures: rows.length,
      iou,
      top1,
      arms: Object.fromEntries(
        ARMS.map((arm) => {
          const outcomes = rows.map((row) => row[arm]);
          const middle = (key: keyof Outcome): number => median(outcomes.map((outcome) => outcome[key]));
          return [
            arm,
            {
              reached: outcomes.filter(reached).length / outcomes.length,
              startIou: middle('startIou'),
              endIou: middle('endIou'),
              strokes: middle('strokes'),
              presses: middle('presses'),
              humanS: middle('humanS'),
              pageS: middle('pageS'),
            },
          ];
        }),
      ),
      pairs: {
        saliencyToEmpty: pair('saliency', 'empty'),
        saliencyToEmptySnap: pair('saliencySnap', 'emptySnap'),
        snapFromSaliency: pair('saliencySnap', 'saliency'),
        snapFromEmpty: pair('emptySnap', 'empty'),
      },
      rows,
      load: [before, loadavg()[0]].map((value) => Math.round(100 * value) / 100),
      versions: versions(),
    };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** A project of the whole pack with the contexts that a fine-tuned model has found. */
async function prepare(folder: string, pack: string, epochs: number): Promise<{ file: string; top1: number }> {
  // A loopback service shows nothing that lies outside its folder.
  const pictures = join(folder, 'pictures');
  cpSync(join(pack, 'images'), pictures, { recursive: true });
  const file = join(folder, 'pets.contexture');
  const project = openProject(sqliteStorage, file, { create: true, program: 'bench' });
  try {
    await importSource(project, { path: pictures }, runJob);
    assignSplit(project.store, SPLIT, act());
    const overrides = { seed: 1, evaluateEvery: 1000, ...(epochs > 0 ? { epochs } : {}) };
    const { run, figures } = await train(project, { method: 'ce', preset: 'photos-20', overrides });
    await findContexts(project, { runId: run.id }, act(), runJob);
    return { file, top1: figures.top1!.value };
  } finally {
    project.close();
  }
}

/** Contexts at random, the same for the same pack and count. */
async function drawCases({ page, origin, project, api }: Reviewed, pack: string, count: number): Promise<Case[]> {
  const response = await page.request.get(`${origin}/api/projects/${project}/contexts/ids?sort=id`);
  const bytes = await response.body();
  const ids = Array.from({ length: bytes.length / 8 }, (_, i) => bytes.readUInt32LE(8 * i));
  const chosen = Random.stream(1, 'reviewed pets').shuffle(ids).slice(0, count);
  return Promise.all(
    chosen.map(async (context): Promise<Case> => {
      const { path } = await api<{ path: string }>('GET', `/api/projects/${project}/contexts/${context}`);
      const name = join(basename(dirname(path)), basename(path, '.jpg'));
      const truth = await trimapOf(join(pack, 'trimaps', `${name}.png`));
      const found = await maskOf({ page, origin, project }, context);
      if (found.width !== truth.width || found.height !== truth.height) throw new Error(`${path}: sizes differ`);
      return { context, path: name, found, truth };
    }),
  );
}

/** One mask through the page, from where the arm begins to the fit. */
async function review(
  reviewed: Reviewed,
  { context, path, found, truth }: Case,
  arm: Arm,
  target: Target,
): Promise<Outcome> {
  const { page, origin, project } = reviewed;
  const empty = arm === 'empty' || arm === 'emptySnap';
  const snaps = arm === 'saliencySnap' || arm === 'emptySnap';
  await put(reviewed, context, empty ? { ...found, data: found.data.map(() => 255) } : found);
  await page.goto(`${origin}/p/${project}/review?state=all&sort=id&context=${context}`);
  await page.getByRole('application', { name: basename(path) }).waitFor();
  await page.getByRole('button', { name: 'Invert', disabled: false }).waitFor();
  const hand = await Hand.over(page, truth);
  const see = async (): Promise<{ mask: Bitmap; iou: number }> => {
    const mask = await maskOf(reviewed, context);
    return { mask, iou: contextIou(truth, (i) => mask.data[i] >= 128) };
  };
  let seen = await see();
  const startIou = seen.iou;
  if (seen.iou < target.iou && empty) {
    await hand.outline(outlineOf(truth, snaps ? ROUGHNESS.snapped : ROUGHNESS.alone));
    seen = await see();
  }
  if (seen.iou < target.iou && snaps) {
    const before = seen.iou;
    await hand.snap();
    seen = await see();
    if (seen.iou < before) {
      await hand.undo();
      seen = await see();
    }
  }
  while (seen.iou < target.iou && hand.strokes < target.most) {
    const stroke = nextStroke(seen.mask, truth, hand.diameter, hand.scale);
    if (stroke === undefined) throw new Error(`${path}: nothing is wrong, yet the fit is ${seen.iou}`);
    await hand.brush(stroke);
    seen = await see();
  }
  const { strokes, presses, humanSeconds: humanS, pageSeconds: pageS } = hand;
  return { startIou, endIou: seen.iou, strokes, presses, humanS, pageS };
}

/** The mask as the service has it, which is the one that the page shows once it says that all is saved. */
async function maskOf({ page, origin, project }: Omit<Reviewed, 'api'>, context: number): Promise<Bitmap> {
  const response = await page.request.get(`${origin}/api/projects/${project}/contexts/${context}/draft/values`);
  if (!response.ok()) throw new Error(await response.text());
  const bytes = await response.body();
  return { width: bytes.readUInt32LE(4), height: bytes.readUInt32LE(8), data: inflateSync(bytes.subarray(12)) };
}

/** Begin with a mask. */
async function put({ page, origin, project, api }: Reviewed, context: number, mask: Bitmap): Promise<void> {
  const base = `/api/projects/${project}/contexts/${context}/draft`;
  const { revision } = await api<{ revision: number }>('GET', base);
  const { width, height, data } = mask;
  const query = `revision=${revision}&tool=again&x=0&y=0&width=${width}&height=${height}&params=%7B%7D`;
  const response = await page.request.post(`${origin}${base}/strokes?${query}`, {
    data: deflateSync(data),
    headers: { 'content-type': 'application/octet-stream' },
  });
  if (!response.ok()) throw new Error(await response.text());
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const half = sorted.length / 2;
  const value = (sorted[Math.ceil(half) - 1] + sorted[Math.floor(half)]) / 2;
  return Math.round(1000 * value) / 1000;
}
