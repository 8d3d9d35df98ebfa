import { startEngine } from '../engine/backend.ts';
import { readEngineInstall } from '../engine/install.ts';
import { Classifier } from './classifier.ts';
import { readModel } from './read-model.ts';

let kept: { path: string; classifier: Classifier } | undefined;

/**
 * A model at work, for jobs whose process is kept (`core/jobs/kept.ts`): loaded unless it is the one that was asked last. A
 * model file is named by its content.
 * @param path of the model file, absolute
 * @returns a classifier that the caller does not dispose
 * @throws UserError 'not-found' or 'damaged' (the model), 'engine'
 */
export function keptClassifier(path: string): Classifier {
  if (kept?.path === path) return kept.classifier;
  const file = readModel(path);
  startEngine(readEngineInstall());
  kept?.classifier.dispose();
  kept = { path, classifier: new Classifier(file, null) };
  return kept.classifier;
}
