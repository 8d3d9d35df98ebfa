/** How long near-duplicates by pixels take among very many pictures: looking at them, and comparing each with each. */
import type { Progress } from '../../core/base/progress.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { PIXELS } from '../../core/near/descriptors.ts';
import { findNearDuplicates } from '../../core/services/near-duplicates.ts';
import { versions } from './programs.ts';
import { withProject } from './project.ts';
import { smallJpegs } from './small-jpegs.ts';

/** Seconds of each stage of the job, from its first word to the next one's. */
export async function nearScale({ images = 100_000 }): Promise<object> {
  return withProject(await smallJpegs(images), async (project) => {
    const began: [stage: string, at: number][] = [];
    const onEvent = ({ stage }: Progress): void => {
      if (began.at(-1)?.[0] !== stage) began.push([stage, performance.now()]);
    };
    const { pictures, groups } = await findNearDuplicates(project, { by: PIXELS }, runJob, { onEvent });
    const end = performance.now();
    const seconds = Object.fromEntries(
      began.map(([stage, at], i) => [stage, ((began[i + 1]?.[1] ?? end) - at) / 1000]),
    );
    return { name: 'near-scale', pictures, groups, seconds, versions: versions() };
  });
}
