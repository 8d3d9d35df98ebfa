/**
 * `npm run setup [-- --engine cpu|gpu]`: gets what is missing to run Contexture. It runs under any Node from 18 on, with
 * no npm package installed, and does nothing when nothing is missing.
 */
import { existsSync } from 'node:fs';
import { gpuAdvice, gpuRefusal, lookAtGpus } from '../core/engine/gpu-support.mjs';
import { bindingPath, provideBinding, requireCompiler } from './setup/binding.mjs';
import { readEngineFile, writeEngineFile } from './setup/engine-file.mjs';
import { Interrupted, SetupFailure, systemSentence } from './setup/failure.mjs';
import { gpuPack } from './setup/gpu-pack.mjs';
import { provideNode, providePackages } from './setup/npm.mjs';
import { say } from './setup/say.mjs';
import { cpuPack, TENSORFLOW } from './setup/tensorflow.mjs';

/**
 * @param {string[]} args
 * @returns {'cpu' | 'gpu' | undefined} the engine asked for
 */
function parse(args) {
  if (args.length === 0) return undefined;
  const [flag, value] = args.length === 1 ? args[0].split('=') : args;
  if (args.length <= 2 && flag === '--engine' && (value === 'cpu' || value === 'gpu')) return value;
  throw new SetupFailure(
    `Set-up does not know "${args.join(' ')}": say "npm run setup", or "npm run setup -- --engine cpu" (or gpu).`,
  );
}

/**
 * @param {string[]} args
 * @param {AbortSignal} signal
 */
async function setUp(args, signal) {
  const asked = parse(args);
  const pack = asked ?? readEngineFile()?.pack ?? 'cpu';
  if (asked === 'gpu') await requireGpu(signal);
  const node = await provideNode(signal);
  await providePackages(signal);
  const { folder, provide } = pack === 'gpu' ? gpuPack() : cpuPack();
  const binding = bindingPath(folder);
  // Before anything big is fetched.
  if (!existsSync(binding)) await requireCompiler(signal);
  const libraryPath = await provide(signal);
  await provideBinding(folder, signal);
  await writeEngineFile({ pack, tensorflow: TENSORFLOW, folder, binding, libraryPath, node });
  say(`Contexture is set up: TensorFlow ${TENSORFLOW} on ${pack === 'gpu' ? 'the NVIDIA GPU' : 'the processor'}.`);
}

/**
 * Refuse the GPU pack where it cannot run.
 * @param {AbortSignal} signal
 */
async function requireGpu(signal) {
  const machine = await lookAtGpus(signal);
  const refusal = gpuRefusal(machine);
  if (refusal) throw new SetupFailure(refusal);
  const advice = typeof machine.gpus === 'string' ? undefined : gpuAdvice(machine.gpus);
  if (advice) say(advice);
}

const interrupt = new AbortController();
for (const name of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP'])) process.on(name, () => interrupt.abort());

try {
  await setUp(process.argv.slice(2), interrupt.signal);
} catch (error) {
  // Whatever broke after Ctrl-C broke because of it.
  const cause = interrupt.signal.aborted ? new Interrupted() : error;
  const known = cause instanceof SetupFailure || cause instanceof Interrupted;
  const sentence = known ? cause.message : systemSentence(cause);
  if (sentence === undefined) throw error;
  console.error(sentence);
  process.exitCode = cause instanceof Interrupted ? 130 : 1;
}
