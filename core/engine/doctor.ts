/**
 * The doctor: says what this machine trains on and why, and trains a small network for a few seconds to prove it. What
 * is wrong is found and listed; only a crash of the engine itself ends the job early.
 */
import { createRequire } from 'node:module';
import { cpus, freemem, totalmem } from 'node:os';
import { UserError } from '../base/errors.ts';
import { freeBytes } from '../base/free-space.ts';
import { ProgressMeter, type Progress } from '../base/progress.ts';
import type { Job, JobPort } from '../jobs/protocol.ts';
import { startEngine, type Engine } from './backend.ts';
import { tryTraining, type TrainingTrial } from './doctor-training.ts';
import { fingerprint, resolveThreads, type EngineFingerprint } from './fingerprint.ts';
import { gpuRefusal, lookAtGpus } from './gpu-support.mjs';
import { readEngineInstall, type EngineInstall } from './install.ts';

export interface DoctorSpec {
  /** How long to train, seconds. */
  seconds: number;
  /** As the process was started with; 0 is all cores. */
  threads: number;
  /** Folder whose disk is looked at: where projects are. */
  folder: string;
}

/** What was found. JSON. */
export interface DoctorReport {
  /** Nothing is wrong: no problems. */
  ok: boolean;
  /** A sentence each. */
  problems: string[];
  /** Null when it does not start. */
  engine: EngineFingerprint | null;
  /** What the engine computes on: the processor's or the GPU's name. */
  deviceName: string;
  /** Why it is not the other one (GPU or processor). */
  otherDevice: string;
  /** Version of Node. */
  node: string;
  /** Version of each package with native parts; null for one that does not load. */
  packages: { betterSqlite3: string | null; sqlite: string | null; sharp: string | null; libvips: string | null };
  /** Bytes. */
  memory: { total: number; free: number };
  /** Bytes free for us on the disk of `folder`. */
  disk: { folder: string; free: number };
  /** Null when there is no engine to train with. */
  training: TrainingTrial | null;
}

export const doctorJob: Job<DoctorSpec, Progress, DoctorReport> = async (spec, port) => {
  const problems: string[] = [];
  const packages = await loadPackages(problems);
  const machine = await lookAtGpus(port.signal);
  const { install, engine } = tryEngine(problems);
  const refusal = gpuRefusal(machine);
  if (install?.pack === 'gpu' && engine?.device === 'cpu') {
    problems.push(`The GPU pack is chosen, but TensorFlow found no GPU. ${refusal ?? 'Run `npm run setup`.'}`);
  }
  const training = engine ? await train(spec, port, problems) : null;
  const gpu = typeof machine.gpus === 'string' ? undefined : machine.gpus.at(-1);
  return {
    ok: problems.length === 0,
    problems,
    engine: engine ? fingerprint(engine, resolveThreads(spec.threads)) : null,
    deviceName: (engine?.device === 'gpu' ? gpu?.name : cpus()[0]?.model.trim()) ?? 'unknown',
    otherDevice: otherDevice(engine?.device ?? 'cpu', install?.pack ?? 'cpu', refusal, gpu?.name),
    node: process.versions.node,
    packages,
    memory: { total: totalmem(), free: freemem() },
    disk: { folder: spec.folder, free: freeBytes(spec.folder) },
    training,
  };
};

/** Why the engine does not run on the device that it does not run on. */
export function otherDevice(
  device: 'cpu' | 'gpu',
  pack: 'cpu' | 'gpu',
  refusal: string | undefined,
  gpuName: string | undefined,
): string {
  if (device === 'gpu') {
    return 'The processor is not used for training because the GPU pack is chosen; `npm run setup -- --engine cpu` changes that.';
  }
  if (refusal) return refusal;
  return pack === 'gpu'
    ? 'The GPU pack is chosen, but TensorFlow found no GPU.'
    : `${gpuName ?? 'A GPU'} is not used because the engine for the processor is chosen; \`npm run setup -- --engine gpu\` changes that.`;
}

function tryEngine(problems: string[]): { install?: EngineInstall; engine?: Engine } {
  let install: EngineInstall | undefined;
  try {
    install = readEngineInstall();
    return { install, engine: startEngine(install) };
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    problems.push(error.message);
    return { install };
  }
}

async function train({ seconds }: DoctorSpec, port: JobPort<Progress>, problems: string[]): Promise<TrainingTrial> {
  const meter = new ProgressMeter((event) => port.emit(event), {
    stage: 'Training for proof',
    unit: 'images',
    total: null,
  });
  const trial = await tryTraining(seconds, port.signal, (images, loss) => meter.add(images, `loss ${loss.toFixed(3)}`));
  meter.finish();
  if (!(trial.lastLoss < trial.firstLoss)) {
    problems.push(
      `Training does not work: the loss went from ${trial.firstLoss.toFixed(3)} to ${trial.lastLoss.toFixed(3)} where it must fall. Run \`npm run setup\`, and report this if it stays.`,
    );
  }
  return trial;
}

/** Load the packages with native parts, as the other jobs do. */
async function loadPackages(problems: string[]): Promise<DoctorReport['packages']> {
  const require = createRequire(import.meta.url);
  const versions: DoctorReport['packages'] = { betterSqlite3: null, sqlite: null, sharp: null, libvips: null };
  const attempt = async (name: string, load: () => Promise<void>): Promise<void> => {
    try {
      await load();
    } catch (error) {
      const reason = error instanceof Error ? error.message.split('\n')[0] : String(error);
      problems.push(`The package ${name} does not load (${reason}). Delete node_modules and run \`npm run setup\`.`);
    }
  };
  await attempt('better-sqlite3', async () => {
    const { default: Database } = await import('better-sqlite3');
    const database = new Database(':memory:');
    versions.sqlite = String(database.prepare('SELECT sqlite_version()').pluck().get());
    database.close();
    versions.betterSqlite3 = (require('better-sqlite3/package.json') as { version: string }).version;
  });
  await attempt('sharp', async () => {
    const { default: sharp } = await import('sharp');
    versions.sharp = sharp.versions.sharp ?? null;
    versions.libvips = sharp.versions.vips;
  });
  return versions;
}
