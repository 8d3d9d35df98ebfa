/**
 * A model card: what a model is, what it was made from, how good it is on what, how it is used. Markdown with the front
 * matter of Hugging Face's model cards (huggingface.co/docs/hub/model-cards). From what is stored; nothing is judged here.
 */
import { GROUPS, groupsByCount, type GroupThresholds } from '../data/groups.ts';
import type { Figures, Head, HeadFigures } from '../evaluation/figures.ts';
import type { Estimate } from '../evaluation/intervals.ts';
import { fewTestImages, percent } from '../evaluation/sentences.ts';
import type { ModelCard } from '../models/model-card.ts';
import { findPack } from '../models/backbone-pack.ts';
import { backboneOf } from '../models/backbones.ts';
import { answeringHead } from '../predict/answers.ts';
import { preprocessingText } from '../predict/preprocessing-text.ts';
import type { Project } from '../storage/project.ts';
import { TrainConfig, type StartingWeights } from '../training/config.ts';
import { tuningText } from '../training/network-text.ts';
import { storedFigures } from '../training/stored-figures.ts';
import { isNote } from '../training/warnings.ts';
import { pythonExample } from './model-example.ts';
import { listBackbones } from './backbones.ts';
import { methodOf } from './run-data.ts';
import { cardOfModel, type RunModel } from './run-model.ts';
import { listVariants } from './variants.ts';

/** What is told of a head, without its classes. */
type HeadSummary = Pick<HeadFigures, 'top1' | 'macroRecall' | 'groups'>;

/** Files that a model leaves the house as, and what each is called. */
export const MODEL_FILES = { onnx: 'model.onnx', safetensors: 'model.safetensors', card: 'README.md' } as const;
export type ModelFileKind = keyof typeof MODEL_FILES;

/** How an ONNX file beside the card was made and what its check has found. */
export interface OnnxFacts {
  head: Head;
  bothHeads: boolean;
  fold: boolean;
  checked: { pictures: number; difference: number };
}

const HEAD_TITLES: Readonly<Record<Head, string>> = {
  uniform: 'uniform head',
  balanced: 'balanced head',
  mean: 'mean of both',
};

/**
 * The card of a model.
 * @param files what lies beside it
 * @param onnx of the ONNX file, where there is one
 * @throws UserError 'not-found' or 'damaged' when the model file cannot be read
 */
export async function modelCard(
  project: Project,
  model: RunModel,
  files: readonly ModelFileKind[],
  onnx: OnnxFacts | null,
): Promise<string> {
  const { run, variant } = model;
  const card = await cardOfModel(model);
  const config = TrainConfig.parse(run.config);
  const figures = storedFigures(run.figures);
  const name = variant ? `${run.name}, ${variant.name}` : run.name;
  const evaluation = figures?.evaluation ?? null;
  const head = onnx?.head ?? answeringHead(card, null);
  const sections = [
    frontMatter(files),
    `# ${inline(name)}`,
    about(model, card, config),
    files.includes('onnx') || files.includes('safetensors') ? `## Files\n\n${fileList(files, card, onnx)}` : '',
    `## Use\n\n${preprocessingText(card)}${files.includes('onnx') ? `\n\n${pythonExample(card)}` : ''}`,
    `## Training\n\n${await training(model, card, config)}`,
    `## Figures\n\n${figureText(evaluation, figures?.split ?? null, card, config.groups)}`,
    variantFigures(project, model, card, config.groups),
    `## Classes\n\n${classTable(card, config.groups, evaluation, head)}`,
    `## Limits\n\n${limits(project, model, card, evaluation)}`,
  ];
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`;
}

function frontMatter(files: readonly ModelFileKind[]): string {
  const formats = files.filter((file) => file !== 'card');
  const tags = ['image-classification', 'long-tailed', 'contexture', ...formats];
  const lines = [
    'pipeline_tag: image-classification',
    'tags:',
    ...tags.map((tag) => `- ${tag}`),
    'metrics:',
    '- accuracy',
  ];
  // No licence: it is for whoever owns the pictures to say.
  return `---\n${lines.join('\n')}\n---`;
}

function about({ run, variant }: RunModel, card: ModelCard, config: TrainConfig): string {
  const { title, summary } = methodOf(run);
  const backbone = backboneOf(config.model).title;
  const start =
    config.weights === null ? 'trained from scratch' : `started from the weights “${inline(config.weights.name)}”`;
  const paragraphs = [
    `An image classifier for ${card.classes.length} classes: ${backbone}, ${start}, by the method “${title}” in Contexture ${run.codeVersion}. ${summary}`,
  ];
  if (variant) paragraphs.push(variantText(card));
  return paragraphs.join('\n\n');
}

/** What was done to the head after training. */
function variantText({ variant }: ModelCard): string {
  if (!variant) return '';
  const how =
    variant.kind === 'logit-adjustment'
      ? `post-hoc logit adjustment (Menon et al. 2021, arXiv 2007.07314) with tau = ${variant.tau}`
      : `tau-normalisation (Kang et al. 2020, arXiv 1910.09217) with tau = ${variant.tau}`;
  const temperatures = variant.temperatures === null ? [] : [...new Set(variant.temperatures)];
  const calibrated =
    temperatures.length === 0
      ? ''
      : ` Probabilities are at ${temperatures.length === 1 ? 'the temperature' : 'temperatures by group of the answer,'} ${temperatures.map((value) => value.toPrecision(4)).join(', ')} (Guo et al. 2017, arXiv 1706.04599).`;
  return `A variant of that run: its ${HEAD_TITLES[variant.head]} was changed after training by ${how}.${calibrated}`;
}

function fileList(files: readonly ModelFileKind[], card: ModelCard, onnx: OnnxFacts | null): string {
  const lines: string[] = [];
  if (onnx) {
    const { head, bothHeads, fold, checked } = onnx;
    const more = bothHeads && card.head === 'balanced' ? ', `uniform_logits` and `balanced_logits`' : '';
    lines.push(
      `- \`${MODEL_FILES.onnx}\`: ONNX, operator set 17. Outputs \`logits\` and \`probabilities\` of the ${HEAD_TITLES[head]}${more}; ` +
        `batch normalisation ${fold ? 'folded into the convolutions' : 'kept'}; labels and preprocessing in the metadata. ` +
        `Checked in ONNX Runtime when it was written: on ${checked.pictures} pictures its answers differ by at most ` +
        `${checked.difference.toExponential(1)} of the largest value from the model's own.`,
    );
  }
  if (files.includes('safetensors')) {
    lines.push(
      `- \`${MODEL_FILES.safetensors}\`: all weights by name, kernels as [height, width, in, out], both heads, a self-test batch with its logits; ` +
        'for `contexture predict --model` and for programs that read safetensors.',
    );
  }
  return lines.join('\n');
}

async function training({ run }: RunModel, card: ModelCard, config: TrainConfig): Promise<string> {
  const images = card.trainCounts.reduce((sum, count) => sum + count, 0);
  const { weights, augment } = config;
  const facts: [string, string][] = [
    ['Training images', `${images} in ${card.classes.length} classes`],
    ['Data set', `\`${run.datasetHash}\` (SHA-256)`],
  ];
  if (run.bankHash !== null) facts.push(['Curated contexts', `\`${run.bankHash}\` (SHA-256)`]);
  facts.push(['Method', `${config.method}, seed ${run.seed}`], ['Backbone', backboneOf(config.model).title]);
  if (weights !== null) {
    facts.push(['Starting weights', await weightsText(weights)], ['Trained', tuningText(config)]);
  }
  const crop = augment.crop === 'resized' ? 'random resized crop' : 'padded crop';
  const jitter = augment.jitter > 0 ? `, colour jitter ${augment.jitter}` : '';
  const work = run.seconds < 90 ? `${run.seconds.toFixed(0)} seconds` : `${(run.seconds / 60).toFixed(0)} minutes`;
  facts.push(
    ['Input', `${config.inputSize} x ${config.inputSize} pixels`],
    ['Epochs', `${config.epochs}, batches of ${config.batchSize}`],
    ['Optimiser', `SGD, rate ${config.learningRate}, momentum ${config.momentum}, weight decay ${config.weightDecay}`],
    ['Augmentation', `${crop}${augment.flip ? ', flip' : ''}${jitter}`],
    ['Precision', config.precision],
    ['Made', `${run.createdAt.slice(0, 10)}, ${work} of work`],
  );
  return markdownTable(['', ''], facts);
}

/** Which file they were, and where it comes from as long as it is here. */
async function weightsText({ name, hash }: StartingWeights): Promise<string> {
  const entry = (await listBackbones()).find((backbone) => backbone.name === name);
  const file = `${inline(name)}, file \`${hash ?? 'unknown'}\` (SHA-256)`;
  if (entry?.state !== 'here' || findPack(name)?.hash !== hash) return file;
  const licence = entry.licence === '' ? '' : `, licence ${inline(entry.licence)}`;
  return `${file}, made from ${inline(entry.source)}${licence}`;
}

function figureText(
  evaluation: Figures | null,
  split: string | null,
  card: ModelCard,
  thresholds: GroupThresholds,
): string {
  if (evaluation === null) return 'None: the run was not evaluated.';
  const heads = (['uniform', 'balanced', 'mean'] as const).flatMap((name): [Head, HeadFigures][] => {
    const figures = evaluation.heads[name];
    return figures === null ? [] : [[name, figures]];
  });
  const measured = `On ${split ?? 'the evaluation split'}, ${evaluation.images} images, after the last epoch; 95 % intervals in brackets. The method is judged by the ${HEAD_TITLES[card.head]}.`;
  const note = card.variant ? ' These are figures of the model as it was trained, before its head was changed.' : '';
  const columns = heads.map(([name, of]): [string, HeadSummary] => [HEAD_TITLES[name], of]);
  return `${measured}${note}\n\n${figureTable(columns, card, thresholds)}`;
}

/** What was measured when the variant was kept; nothing for a run itself. */
function variantFigures(
  project: Project,
  { run, variant }: RunModel,
  card: ModelCard,
  thresholds: GroupThresholds,
): string {
  const figures = variant && listVariants(project, run.id).find(({ id }) => id === variant.id)?.figures;
  if (!figures) return '';
  const { split, chosenOn, choosing, reporting, before, after, calibrationError } = figures;
  const others = chosenOn === 'val' ? `the ${choosing} images of val` : `${choosing} others of it`;
  return [
    '## Figures of the variant',
    `On ${reporting} images of ${split}; tau and temperatures were chosen on ${others}. Expected calibration error: ${errorText(calibrationError.after)}, without temperatures ${errorText(calibrationError.before)}.`,
    figureTable(
      [
        ['as trained', before],
        ['this variant', after],
      ],
      card,
      thresholds,
    ),
  ].join('\n\n');
}

/** Accuracy overall and by group, a column each. */
function figureTable(
  columns: readonly (readonly [title: string, figures: HeadSummary])[],
  card: ModelCard,
  thresholds: GroupThresholds,
): string {
  const groups = groupsByCount(card.trainCounts, thresholds);
  const sizes = GROUPS.map((group) => groups.filter((other) => other === group).length);
  const limitsOf = {
    many: `over ${thresholds.many}`,
    medium: `${thresholds.few} to ${thresholds.many}`,
    few: `under ${thresholds.few}`,
  };
  const row = (title: string, read: (figures: HeadSummary) => Estimate | null): string[] => [
    title,
    ...columns.map(([, figures]) => estimateText(read(figures))),
  ];
  return markdownTable(
    ['', ...columns.map(([title]) => title)],
    [
      row('Top-1 accuracy', ({ top1 }) => top1),
      row('Balanced accuracy (mean recall)', ({ macroRecall }) => macroRecall),
      ...GROUPS.map((group, i) =>
        row(
          `${group}: ${sizes[i]} ${sizes[i] === 1 ? 'class' : 'classes'}, ${limitsOf[group]} training images`,
          (figures) => figures.groups[group],
        ),
      ),
    ],
  );
}

function classTable(card: ModelCard, thresholds: GroupThresholds, evaluation: Figures | null, head: Head): string {
  const groups = groupsByCount(card.trainCounts, thresholds);
  const figures = evaluation?.heads[head]?.classes;
  const rows = card.classes.map((name, label) => [
    inline(name),
    groups[label],
    String(card.trainCounts[label]),
    ...(figures ? [String(figures[label].tested), estimateText(figures[label].recall)] : []),
  ]);
  const more = figures ? ['test images', `recall (${HEAD_TITLES[head]})`] : [];
  return markdownTable(['class', 'group', 'training images', ...more], rows);
}

function limits({ store }: Project, { run }: RunModel, card: ModelCard, evaluation: Figures | null): string {
  const lines = [
    'It knows these classes only: a picture of anything else gets one of them, however sure it sounds.',
    'Figures hold for pictures like those it was measured on; intervals say how far other test images of that kind could move them, not another training seed.',
  ];
  const classes = evaluation?.heads.uniform.classes;
  const thin =
    classes && fewTestImages(classes.map(({ tested }, label) => ({ name: inline(card.classes[label]), tested })));
  if (thin) lines.push(thin);
  for (const { epoch, message } of store.runs.warnings(run.id).filter((one) => !isNote(one))) {
    lines.push(`Warning of the run (epoch ${epoch + 1}): ${inline(message)}`);
  }
  return lines.map((line) => `- ${line}`).join('\n');
}

const errorText = (value: number | null): string => (value === null ? 'not known' : percent(value));

/** "46.3 % (41.0 to 51.6)" */
function estimateText(estimate: Estimate | null): string {
  if (estimate === null) return 'no test images';
  const { value, low, high } = estimate;
  return `${percent(value)} (${(100 * low).toFixed(1)} to ${(100 * high).toFixed(1)})`;
}

function markdownTable(columns: readonly string[], rows: readonly (readonly string[])[]): string {
  return [columns, columns.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
}

/** Text that may hold anything, such as a name of a folder, as text and nothing else: no markup, no end of a line. */
function inline(text: string): string {
  return text
    .replace(/\s+/g, ' ')
    .replace(/[\\`*_[\]#|~]/g, String.raw`\$&`)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;');
}
