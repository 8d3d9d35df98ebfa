/**
 * What the Train page foretells of a run against what it took: the long-tailed pets with a tenth of them on val, each preset
 * for photographs by cross entropy and CSA, measured first by the page's trial. Seconds; what a run reads anew (pictures,
 * features of a frozen backbone) is read anew here too. The backbone has to be here.
 *
 * `--epochs 2` of each; `--photos 200` one preset alone.
 */
import { rmSync } from 'node:fs';
import { runJob } from '../../core/jobs/runner.ts';
import { assignSplit } from '../../core/services/edits.ts';
import { planTraining, tryTraining } from '../../core/services/training.ts';
import { trainingFacts } from '../../core/services/training-plan.ts';
import { PRESETS } from '../../core/training/presets.ts';
import { longTailedPets } from './pets.ts';
import { versions } from './programs.ts';
import { train, withProject } from './project.ts';

interface Options {
  epochs?: number;
  photos?: number;
}

export async function estimates({ epochs = 2, photos = 0 }: Options): Promise<object> {
  const presets = PRESETS.filter((name) => (photos > 0 ? name === `photos-${photos}` : name.startsWith('photos-')));
  const folder = longTailedPets();
  try {
    return await withProject(folder, async (project) => {
      assignSplit(project.store, { val: 0.1, test: 0, seed: 1 }, { author: 'bench', at: new Date().toISOString() });
      const rows: object[] = [];
      for (const preset of presets) {
        for (const method of ['ce', 'csa'] as const) {
          const settings = { epochs };
          const request = { preset, methods: [method], seeds: [1], settings };
          const running = { onEvent: () => {}, signal: new AbortController().signal };
          await tryTraining(project, request, runJob, running);
          const [{ seconds, source }] = planTraining(project, request).estimates;
          rmSync(project.cacheFolder, { recursive: true, force: true });
          const { run } = await train(project, { method, preset, overrides: settings });
          const row = { preset, method, source, estimate: seconds, took: run.seconds };
          console.error(JSON.stringify(row));
          rows.push(row);
        }
      }
      return { name: 'estimates', epochs, facts: trainingFacts(project.store), rows, versions: versions() };
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
