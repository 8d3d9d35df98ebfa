/**
 * Most memory that each job's process holds: CIFAR10-LT (12,406 pictures to learn from, 10,000 to be judged by, 32 px),
 * ResNet-32, batch 128; on a processor. Pages of files that are mapped count, TensorFlow's library (400 MB) among them.
 */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { DEFAULT_TWINS_FROM } from '../../core/api/bank.ts';
import { DEFAULT_RECIPE } from '../../core/export/recipe.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { decideContexts, listContexts } from '../../core/services/contexts.ts';
import { measureDiversity } from '../../core/services/diversity.ts';
import { exportDataset } from '../../core/services/export.ts';
import { findContexts } from '../../core/services/find-contexts.ts';
import { checkLeftovers } from '../../core/services/leftover.ts';
import { findNearDuplicates } from '../../core/services/near-duplicates.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { measureReliance } from '../../core/services/reliance.ts';
import { PRECISIONS } from '../../core/training/config.ts';
import { unpack } from './packs.ts';
import { versions } from './programs.ts';
import { train, withProject } from './project.ts';

/** Pictures that the export adds to each class. */
const ADDED = { kind: 'add', images: 500 } as const;
/** Least p(true class) of what is taken into the bank. */
const ACCEPTED_FROM = 0.5;

export async function memory({ epochs = 1, blocks = 5 }: Record<string, number> = {}): Promise<object> {
  const work = mkdtempSync(join(tmpdir(), 'contexture-memory-'));
  const file = join(work, 'peaks');
  process.env.CONTEXTURE_PEAKS = file;
  process.env.NODE_OPTIONS = `--import=${pathToFileURL(join(import.meta.dirname, 'peak-memory.ts')).href}`;
  const peaks: Record<string, number> = {};
  /** Keep what the last job has held, MiB. */
  const keep = (job: string): void => {
    peaks[job] = Math.round(Number(readFileSync(file, 'utf8').trim().split('\n').at(-1)) / 2 ** 20);
    console.error(`${job}: ${peaks[job]} MiB`);
  };
  try {
    const pack = unpack('cifar10-lt100');
    await withProject(pack, async (project) => {
      keep('import');
      let runId = 0;
      for (const method of ['ce', 'csa'] as const) {
        for (const precision of PRECISIONS) {
          const model = { kind: 'resnet-cifar', blocks } as const;
          const overrides = { epochs, precision, model, startBalanced: 0 };
          runId = (await train(project, { method, preset: 'quick', overrides })).run.id;
          keep(`train ${method}, ${precision}`);
        }
      }
      const act = { author: 'bench', at: new Date().toISOString() };
      await findContexts(project, { runId }, act, runJob);
      keep('contexts');
      const likely = listContexts(project).filter(({ context }) => (context.probability ?? 0) >= ACCEPTED_FROM);
      decideContexts(
        project,
        likely.map(({ context }) => context.id),
        'accepted',
        act,
      );
      await measureDiversity(project, { runId, twinsFrom: DEFAULT_TWINS_FROM }, runJob);
      keep('diversity');
      await checkLeftovers(project, { runId }, runJob);
      keep('leftover');
      await measureReliance(project, runId, null, runJob);
      keep('reliance');
      await findNearDuplicates(project, {}, runJob);
      keep('near-duplicates');
      const inputs = [{ kind: 'folder', path: join(pack, 'test'), name: '' }] as const;
      const model = project.blobs.path(project.store.runs.get(runId)!.modelBlob!);
      await predictPictures({ model, inputs: [...inputs], format: 'csv', out: join(work, 'answers.csv') }, runJob);
      keep('predict');
      await exportDataset(project, { out: join(work, 'export'), recipe: { ...DEFAULT_RECIPE, amount: ADDED } }, runJob);
      keep('export');
    });
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  return { name: 'memory', unit: 'MiB', epochs, blocks, peaks, versions: versions() };
}
