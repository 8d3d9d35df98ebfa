/** Which native engine this clone runs, as set-up recorded it, and the environment its processes need. */
import { existsSync, readFileSync } from 'node:fs';
import { delimiter } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { UserError } from '../base/errors.ts';
import { resolveThreads } from './fingerprint.ts';

const EngineInstallSchema = z.strictObject({
  /** "cpu": the processor. "gpu": NVIDIA's CUDA. */
  pack: z.enum(['cpu', 'gpu']),
  /** TensorFlow's version. */
  tensorflow: z.string().min(1),
  /** The folder that holds `tensorflow/` with the native libraries. */
  folder: z.string().min(1),
  /** The compiled binding that Node loads. */
  binding: z.string().min(1),
  /** Folders that the system's loader searches for libraries, such as CUDA's; empty for the processor. */
  libraryPath: z.array(z.string().min(1)),
  /** Program of the Node to run under. */
  node: z.string().min(1),
});
export type EngineInstall = Readonly<z.infer<typeof EngineInstallSchema>>;

/** What set-up writes, unless the variable CONTEXTURE_ENGINE names another file. */
const ENGINE_FILE = fileURLToPath(new URL('../../.cache/engine.json', import.meta.url));

/**
 * Read and check what set-up recorded.
 * @throws UserError 'engine' when set-up has not been run, or what it made is gone
 */
export function readEngineInstall(path: string = process.env.CONTEXTURE_ENGINE || ENGINE_FILE): EngineInstall {
  const again = 'Run `npm run setup`.';
  if (!existsSync(path)) throw new UserError('engine', `The engine is not set up: there is no ${path}. ${again}`);
  let install: EngineInstall;
  try {
    install = EngineInstallSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
  } catch (error) {
    throw new UserError('engine', `${path} is not what set-up writes. ${again}`, { cause: error });
  }
  for (const part of [install.folder, install.binding, ...install.libraryPath]) {
    if (!existsSync(part)) throw new UserError('engine', `A part of the engine is gone: ${part}. ${again}`);
  }
  return install;
}

/**
 * Environment variables for a process that runs the engine. TensorFlow reads them natively and early: they have to be
 * there when the process starts.
 * @param options.threads threads inside an operation; 0 is all cores this process may use
 * @param options.atOnce operations that work side by side where their results do not need one another
 */
export function engineEnvironment(
  install: EngineInstall,
  { threads, atOnce = 1 }: { threads: number; atOnce?: number },
): Record<string, string> {
  const cores = resolveThreads(threads);
  const environment: Record<string, string> = {
    // Warnings and errors only.
    TF_CPP_MIN_LOG_LEVEL: '1',
    // Take graphics memory as it is needed instead of nearly all at once.
    TF_FORCE_GPU_ALLOW_GROWTH: 'true',
    // Same input, same digits, on a GPU too.
    TF_DETERMINISTIC_OPS: '1',
    // float32 is float32 on a GPU too, where NVIDIA's libraries would keep 10 bits of a product's factors (TF32); who wants
    // speed has bfloat16.
    NVIDIA_TF32_OVERRIDE: '0',
    // A GPU has a queue of its own.
    TF_NUM_INTEROP_THREADS: String(install.pack === 'gpu' ? 1 : Math.min(atOnce, cores)),
    // TensorFlow leaves oneDNN off on processors without AVX-512 VNNI, where it is still about twice as fast.
    TF_ENABLE_ONEDNN_OPTS: '1',
    // The thread that asks takes a share of the work instead of sleeping until others have done it.
    TF_ONEDNN_THREADPOOL_USE_CALLER_THREAD: '1',
    // Activations of some megabytes come and go every step: keep them on the heap instead of asking the kernel each time.
    MALLOC_MMAP_THRESHOLD_: String(4 * 2 ** 30),
    MALLOC_TRIM_THRESHOLD_: String(8 * 2 ** 30),
    MALLOC_TOP_PAD_: String(2 ** 28),
    // Ask for that heap in pages of 2 MB: a step that walks through hundreds of megabytes looks up far fewer addresses.
    GLIBC_TUNABLES: [process.env.GLIBC_TUNABLES, 'glibc.malloc.hugetlb=1'].filter(Boolean).join(':'),
    // Always said, so that the number that a run records is the true one.
    TF_NUM_INTRAOP_THREADS: String(cores),
  };
  if (install.libraryPath.length > 0) {
    const before = process.env.LD_LIBRARY_PATH;
    environment.LD_LIBRARY_PATH = [...install.libraryPath, ...(before ? [before] : [])].join(delimiter);
  }
  return environment;
}
