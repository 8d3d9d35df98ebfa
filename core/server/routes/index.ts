/** All handlers: the type says that none is missing. */
import type { Handlers } from '../handlers.ts';
import { appRoutes } from './app.ts';
import { backboneRoutes } from './backbones.ts';
import { backgroundRoutes } from './backgrounds.ts';
import { bankRoutes } from './bank.ts';
import { commandRoutes } from './command.ts';
import { compareRoutes } from './compare.ts';
import { contextRoutes } from './contexts.ts';
import { editRoutes } from './edits.ts';
import { engineRoutes } from './engine.ts';
import { exportRoutes } from './exports.ts';
import { imageRoutes } from './images.ts';
import { leftoverRoutes } from './leftover.ts';
import { modelRoutes } from './models.ts';
import { nearDuplicateRoutes } from './near-duplicates.ts';
import { predictRoutes } from './predict.ts';
import { projectRoutes } from './projects.ts';
import { relianceRoutes } from './reliance.ts';
import { reviewRoutes } from './review.ts';
import { runRoutes } from './runs.ts';
import { sourceRoutes } from './sources.ts';
import { statsRoutes } from './stats.ts';
import { storageRoutes } from './storage.ts';
import { studyRoutes } from './studies.ts';
import { swapRoutes } from './swap.ts';
import { taskRoutes } from './tasks.ts';
import { trainingRoutes } from './training.ts';
import { variantRoutes } from './variants.ts';

export const HANDLERS: Handlers = {
  ...appRoutes,
  ...backboneRoutes,
  ...backgroundRoutes,
  ...bankRoutes,
  ...commandRoutes,
  ...compareRoutes,
  ...contextRoutes,
  ...editRoutes,
  ...engineRoutes,
  ...exportRoutes,
  ...imageRoutes,
  ...leftoverRoutes,
  ...modelRoutes,
  ...nearDuplicateRoutes,
  ...predictRoutes,
  ...projectRoutes,
  ...relianceRoutes,
  ...reviewRoutes,
  ...runRoutes,
  ...sourceRoutes,
  ...statsRoutes,
  ...storageRoutes,
  ...studyRoutes,
  ...swapRoutes,
  ...taskRoutes,
  ...trainingRoutes,
  ...variantRoutes,
};
