/**
 * `npm run bench -- NAME [--option number …] [--json]`: measurements, run by name. Progress goes to stderr; the last line
 * of stdout is the result as JSON.
 */
import { parseArgs } from 'node:util';

const BENCHES: Readonly<Record<string, (options: Record<string, number>) => Promise<object>>> = {
  photos: async (options) => (await import('./photos.ts')).photos(options),
  'photos-101': async (options) => (await import('./photos-101.ts')).photos101(options),
  'step-ce': async (options) => (await import('./step.ts')).stepCe(options),
  'step-csa': async (options) => (await import('./step.ts')).stepCsa(options),
  'step-ce-bf16': async (options) => (await import('./step.ts')).stepCeBf16(options),
  'step-csa-bf16': async (options) => (await import('./step.ts')).stepCsaBf16(options),
  'epoch-csa': async (options) => (await import('./epoch-csa.ts')).epochCsa(options),
  estimates: async (options) => (await import('./estimates.ts')).estimates(options),
  finetune: async (options) => (await import('./finetune.ts')).finetune(options),
  'first-step': async (options) => (await import('./first-step.ts')).firstStep(options),
  saliency: async (options) => (await import('./saliency.ts')).saliency(options),
  memory: async (options) => (await import('./memory.ts')).memory(options),
  soak: async (options) => (await import('./soak.ts')).soak(options),
  export: async (options) => (await import('./export.ts')).exportPictures(options),
  import: async (options) => (await import('./import.ts')).importBench(options),
  thumbnails: async (options) => (await import('./thumbnails.ts')).thumbnailsBench(options),
  review: async (options) => (await import('./review.ts')).reviewBench(options),
  'review-pets': async (options) => (await import('./review-pets.ts')).reviewPets(options),
  app: async (options) => (await import('./app.ts')).appBench(options),
  'coloured-mnist': async (options) => (await import('./coloured-mnist.ts')).colouredMnist(options),
  reliance: async (options) => (await import('./reliance.ts')).reliance(options),
  heads: async (options) => (await import('./heads.ts')).heads(options),
  pets: async (options) => (await import('./pets.ts')).pets(options),
  'pets-masks': async (options) => (await import('./pets-masks.ts')).petsMasks(options),
  'near-duplicates': async (options) => (await import('./near-duplicates.ts')).nearDuplicates(options),
  'near-scale': async (options) => (await import('./near-scale.ts')).nearScale(options),
  'leftover-verdicts': async (options) => (await import('./leftover-verdicts.ts')).leftoverVerdicts(options),
  'cifar-peer': async (options) => (await import('./cifar-peer.ts')).cifarPeer(options),
};

// As our engine has it: the peer's float32 is float32 on a GPU too.
process.env.NVIDIA_TF32_OVERRIDE ??= '0';

const { tokens } = parseArgs({ strict: false, allowPositionals: true, tokens: true });
const name = tokens.find((token) => token.kind === 'positional')?.value ?? '';
const options: Record<string, number> = {};
for (const [index, token] of tokens.entries()) {
  if (token.kind !== 'option' || token.name === 'json') continue;
  const next = tokens[index + 1];
  options[token.name] = Number(token.value ?? (next?.kind === 'positional' ? next.value : undefined));
}
const bench = BENCHES[name];
if (!bench) {
  console.error(`bench: choose one of ${Object.keys(BENCHES).join(', ')}`);
  process.exit(2);
}
const result = await bench(options);
console.log(JSON.stringify(result));
