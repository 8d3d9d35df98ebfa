/** `contexture doctor`: run the doctor in a process of its own, and say what it found. */
import { UserError } from '../base/errors.ts';
import type { Progress } from '../base/progress.ts';
import type { DoctorReport, DoctorSpec } from '../engine/doctor.ts';
import { engineEnvironment, readEngineInstall } from '../engine/install.ts';
import type { RunJob } from '../jobs/protocol.ts';

/** How long it trains for proof. */
const TRIAL_SECONDS = 5;

/**
 * Find out what this machine trains on, and prove it.
 * @param options.seconds how long to train
 * @param options.folder whose disk is looked at
 * @throws UserError 'engine' when the engine takes its process down; 'cancelled'
 */
export async function runDoctor(
  runJob: RunJob,
  onEvent: (event: Progress) => void,
  signal: AbortSignal,
  { seconds = TRIAL_SECONDS, folder = process.cwd() }: { seconds?: number; folder?: string } = {},
): Promise<DoctorReport> {
  const spec: DoctorSpec = { seconds, threads: 0, folder };
  try {
    return await runJob<DoctorSpec, Progress, DoctorReport>('doctor', spec, { onEvent, signal, env: environment() });
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new UserError(
      'engine',
      `The engine took its process down while it was tried (${reason}). Run \`npm run setup -- --engine cpu\` and try again.`,
      { cause: error },
    );
  }
}

/** The doctor says himself what is wrong with the installation; until then it needs no environment. */
function environment(): Record<string, string> {
  try {
    return engineEnvironment(readEngineInstall(), { threads: 0 });
  } catch (error) {
    if (error instanceof UserError) return {};
    throw error;
  }
}

/** The report for people: a line a fact, problems last. */
export function doctorLines(report: DoctorReport): string[] {
  const { engine, packages, memory, disk, training } = report;
  const lines: string[] = [];
  if (engine) {
    const device = engine.device === 'gpu' ? 'an NVIDIA GPU' : 'the processor';
    lines.push(`Engine: TensorFlow ${engine.tensorflow} on ${device}, ${report.deviceName}.`);
    lines.push(`Instruction sets: ${engine.instructions || 'none that matter'}. Threads: ${engine.threads}.`);
  } else {
    lines.push('Engine: none.');
  }
  lines.push(report.otherDevice);
  lines.push(
    `Node ${report.node}, ${version('better-sqlite3', packages.betterSqlite3)} with ${version('SQLite', packages.sqlite)}, ${version('sharp', packages.sharp)} with ${version('libvips', packages.libvips)}.`,
  );
  lines.push(
    `Memory: ${gigabytes(memory.free)} of ${gigabytes(memory.total)} free. Disk of ${disk.folder}: ${gigabytes(disk.free)} free.`,
  );
  if (training) {
    lines.push(
      `Trained a ${training.network} for ${training.steps} steps: loss ${training.firstLoss.toFixed(3)} to ${training.lastLoss.toFixed(3)}, ${Math.round(training.imagesPerSecond)} images a second.`,
    );
  }
  lines.push(...(report.ok ? ['All is well.'] : report.problems));
  return lines;
}

function version(name: string, value: string | null): string {
  return `${name} ${value ?? '(does not load)'}`;
}

function gigabytes(bytes: number): string {
  return `${(bytes / 1e9).toFixed(1)} GB`;
}
