/**
 * What a train job does until its first steps have ended, in the same order, with a clock: `first-step-parts.ts
 * '{"spec":TRAIN_SPEC}'` prints the milliseconds of each part as one JSON line.
 */
import type { TrainSpec } from '../../core/training/train-job.ts';

const { spec } = JSON.parse(process.argv[2]) as { spec: TrainSpec };
const parts: Record<string, number> = {};
let last = 0;
function part(name: string): void {
  const now = performance.now();
  parts[name] = Math.round(now - last);
  last = now;
}

// The clock runs since the process began.
part('node');
await import('../../core/training/train-job.ts');
part('modules');
const { BlobStore } = await import('../../core/storage/blob-store.ts');
const { readSnapshot, indicesOfSplit } = await import('../../core/data/snapshot.ts');
const { openPictures } = await import('../../core/training/open-pictures.ts');
const snapshot = readSnapshot(new BlobStore(spec.blobFolder), spec.snapshotBlob);
part('snapshot');
const port = { emit: () => {}, signal: new AbortController().signal };
const trainIndices = indicesOfSplit(snapshot, 'train');
const pictures = await openPictures(snapshot, trainIndices, spec.config, 'train', spec.cacheFolder, port);
const { split } = snapshot.evaluation!;
await openPictures(snapshot, indicesOfSplit(snapshot, split), spec.config, 'evaluate', spec.cacheFolder, port);
part('pictures');
const { startEngine } = await import('../../core/engine/backend.ts');
const { readEngineInstall } = await import('../../core/engine/install.ts');
startEngine(readEngineInstall());
part('engine');
const { Network } = await import('../../core/models/network.ts');
const { Trainer } = await import('../../core/training/trainer.ts');
const trainer = new Trainer({
  config: spec.config,
  network: new Network(spec.config.model, snapshot.classes.length),
  pictures,
  labels: Int32Array.from(trainIndices, (index) => snapshot.images[index].label),
  admitted: snapshot.classes.map(() => true),
  curated: null,
});
trainer.beginEpoch();
part('trainer');
await trainer.runStep();
part('first step');
await trainer.runStep();
part('second step, with tracing');
await trainer.runStep();
part('third step, traced');
console.log(JSON.stringify(parts));
process.exit(0);
