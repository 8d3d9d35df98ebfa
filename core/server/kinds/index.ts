/** All kinds of tasks that the queue begins: the type says that none is missing. */
import type { AnyTaskKind, QueuedKind } from '../task-kind.ts';
import { backboneKind } from './backbone.ts';
import { backgroundsKind } from './backgrounds.ts';
import { contextsKind, remaskKind } from './contexts.ts';
import { diversityKind } from './diversity.ts';
import { doctorKind } from './doctor.ts';
import { exportKind, verifyKind } from './export.ts';
import { importKind } from './import.ts';
import { leftoverKind } from './leftover.ts';
import { nearDuplicatesKind } from './near-duplicates.ts';
import { onnxKind } from './onnx.ts';
import { predictKind } from './predict.ts';
import { relianceKind } from './reliance.ts';
import { relinkKind } from './relink.ts';
import { saliencyKind } from './saliency.ts';
import { compareMasksKind, exportMasksKind, importMasksKind, morphKind } from './review.ts';
import { sampleKind } from './sample.ts';
import { trainKind, trialKind } from './train.ts';
import { usesKind } from './uses.ts';

export const KINDS: Readonly<Record<QueuedKind, AnyTaskKind>> = {
  sample: sampleKind,
  train: trainKind,
  trial: trialKind,
  import: importKind,
  backgrounds: backgroundsKind,
  relink: relinkKind,
  doctor: doctorKind,
  backbone: backboneKind,
  contexts: contextsKind,
  remask: remaskKind,
  morph: morphKind,
  'compare-masks': compareMasksKind,
  'import-masks': importMasksKind,
  'export-masks': exportMasksKind,
  export: exportKind,
  verify: verifyKind,
  predict: predictKind,
  saliency: saliencyKind,
  reliance: relianceKind,
  diversity: diversityKind,
  leftover: leftoverKind,
  'near-duplicates': nearDuplicatesKind,
  uses: usesKind,
  onnx: onnxKind,
};
