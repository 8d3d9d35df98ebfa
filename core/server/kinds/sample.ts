import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { fileError } from '../../base/errors.ts';
import { asJson } from '../../base/json.ts';
import { importSource } from '../../services/import.ts';
import { writeSample } from '../../services/sample-data.ts';
import { JOB_LANES } from '../lanes.ts';
import { taskKind } from '../task-kind.ts';

/** The data set that `contexture sample --all` works on as well. */
const SEED = 0;

/** Draws the sample's pictures, makes a project for them and imports them. */
export const sampleKind = taskKind({
  scope: 'app',
  lane: JOB_LANES.import,
  params: z.object({ folder: z.string() }),
  async perform({ service, params: { folder }, signal, runJob, onEvent }) {
    try {
      await mkdir(folder, { recursive: true });
    } catch (error) {
      throw fileError(error, 'make the folder of the sample', folder);
    }
    const pictures = join(folder, 'pictures');
    if (!existsSync(pictures)) await writeSample(pictures, { seed: SEED }, { emit: onEvent, signal });
    const file = join(folder, 'sample.contexture');
    const { id, project } = await service.openProject(file, { create: !existsSync(file), name: 'Sample' });
    const summary = await importSource(project, { path: pictures, onEvent, signal }, runJob);
    service.hub.publish({
      type: 'data',
      project: id,
      topics: ['images', 'classes', 'sources', 'problems'],
    });
    return asJson({ project: id, file, images: summary.images });
  },
});
