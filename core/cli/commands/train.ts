import { Option } from '@commander-js/extra-typings';
import { UserError } from '../../base/errors.ts';
import { percent } from '../../evaluation/sentences.ts';
import type { RunPlan } from '../../services/training-plan.ts';
import type { Run } from '../../storage/records.ts';
import { METHODS, ModelConfig, PRECISIONS } from '../../training/config.ts';
import { PRESET_SETTINGS, PRESETS, type PresetName } from '../../training/presets.ts';
import type { TrainEvent } from '../../training/train-job.ts';
import { isNote } from '../../training/warnings.ts';
import { integer, number, numberPair, thresholds } from '../arguments.ts';
import type { AddCommand, Outcome } from '../cli.ts';
import { count, plural } from '../format.ts';
import { examples } from '../help.ts';
import { networkText, tuningText } from '../../training/network-text.ts';
import { epochLine, runText } from '../run-text.ts';
import type { Session } from '../session.ts';
import { facts } from '../table.ts';
import { overridesFrom, parseBankSize, parseTune } from './train-options.ts';

const PRESET_HELP = PRESETS.map((name) => `  ${name.padEnd(12)} ${PRESET_SETTINGS[name].summary}`).join('\n');
const MODELS = ModelConfig.options.map(({ shape }) => shape.kind.value);
const METHOD_HELP = `
Methods:
  ce        cross entropy on the data as they are
  cbrs      class-balanced re-sampling
  control   two streams and two heads, nothing laid over: what CSA is compared with
  csa       context-shift augmentation

Presets:
${PRESET_HELP}`;

export const addTrain: AddCommand = (parent, cli) => {
  parent
    .command('train')
    .description('Train a classifier. Ctrl-C stops and keeps the state; "resume" goes on.')
    .argument('<method>', METHODS.join(', '))
    .addOption(
      new Option('--preset <name>', 'settings to begin with (default: by the size of pictures and classes)').choices(
        PRESETS,
      ),
    )
    .option('--name <text>', 'name of the run (default: method and seed)')
    .option('--seed <number>', 'everything random follows from it (default: 1)', integer(0))
    .option('--dry-run', 'only show the settings and what they cost')
    .optionsGroup('Schedule:')
    .option('--epochs <number>', 'the schedule is scaled to it', integer(1, 1000))
    .option('--batch-size <images>', 'of each stream', integer(2, 1024))
    .option('--learning-rate <rate>', 'before warm-up and drops', number(0, 10))
    .option('--momentum <share>', 'of SGD', number(0, 0.999))
    .option('--weight-decay <rate>', 'of SGD', number(0, 0.1))
    .option('--warmup-epochs <number>', 'the rate rises over so many', integer(0))
    .option('--drop-epochs <first,second>', 'the rate falls to a tenth after so many, and again', numberPair(0, 1000))
    .option('--start-balanced <epochs>', 'the second stream is trained after so many', integer(0))
    .option('--min-steps <number>', 'fewest steps of an epoch', integer(1))
    .option('--evaluate-every <epochs>', 'look at the test split every so often', integer(1))
    .option('--groups <many,few>', 'thresholds of the groups (default: of the project)', thresholds)
    .option('--checkpoint-seconds <seconds>', 'time between checkpoints (default: 60)', number(0))
    .optionsGroup('Network and pictures:')
    .option('--input-size <pixels>', 'side of the network input (default: fits the pictures)', integer(32, 260))
    .addOption(new Option('--model <kind>', 'default: by input size, or as its backbone').choices(MODELS))
    .option('--blocks <number>', 'blocks a stage of resnet-cifar: 5 is ResNet-32', integer(1, 9))
    .addOption(
      new Option('--crop <kind>', 'padded, or a random part resized (default: padded up to 64 px)').choices([
        'padded',
        'resized',
      ] as const),
    )
    .option('--least-area <share>', 'smallest share of a picture that a resized part has', number(0.01, 1))
    .option('--jitter <strength>', 'of brightness, contrast and saturation (default: 0.4 beyond 64 px)', number(0, 1))
    .option('--pad <share>', 'padding before the random crop, as a share of the size', number(0, 0.5))
    .option('--no-flip', 'no random horizontal flip')
    .optionsGroup('Fine-tuning:')
    .option('--backbone <name>', 'weights to begin with ("contexture backbone list"), or none (default: the preset\'s)')
    .option('--tune <part>', 'what of the backbone is trained: heads (none), last:N stages, all', parseTune)
    .option('--backbone-rate <share>', 'rate of the backbone, relative to that of the heads', number(0, 1))
    .addOption(
      new Option('--batch-norm <statistics>', 'of trained stages: those of the batch, or frozen').choices([
        'batch',
        'frozen',
      ] as const),
    )
    .optionsGroup('Contexts (csa):')
    .option('--delta <probability>', 'smallest p of a sample whose context enters the bank', number(0, 1))
    .option('--bank-size <size>', 'contexts in the bank, or times the batch size: 1x, 5x, 10x', parseBankSize)
    .addOption(new Option('--bank <rule>', 'at the start of an epoch').choices(['kept', 'emptied'] as const))
    .addOption(new Option('--contexts <classes>', 'whose contexts enter the bank').choices(['any', 'head'] as const))
    .option('--lambda <min,max>', 'range of lambda', numberPair(0, 1))
    .addOption(new Option('--lambda-per <unit>', 'one lambda for each').choices(['batch', 'image'] as const))
    .addOption(new Option('--mask <kind>', 'random: a control').choices(['saliency', 'random'] as const))
    .option('--curated <share>', 'share of contexts from the accepted ones: 1 uses only those', number(0, 1))
    .option('--curated-uses <times>', 'an accepted one is drawn so often at most; 0 is no limit', integer(0, 1_000_000))
    .addOption(new Option('--curated-uses-per <span>', 'that limit is for the').choices(['run', 'epoch'] as const))
    .optionsGroup('Engine:')
    .option('--threads <number>', 'inside an operation; 0 is all cores', integer(0, 256))
    .addOption(
      new Option('--precision <type>', 'of maps while training (default: bfloat16 where the processor has it)').choices(
        PRECISIONS,
      ),
    )
    .addHelpText('after', METHOD_HELP)
    .addHelpText(
      'after',
      examples(
        ['train csa', 'with the preset that fits the size of the data set'],
        ['train control --preset small --seed 3', 'the control of the same seed'],
        ['train csa --preset standard --epochs 30 --bank-size 5x', 'other settings'],
        ['train csa --curated 1', 'only contexts that you have accepted'],
        ['train csa --curated 0.5 --curated-uses 20', 'half of them, each laid on 20 times at most'],
        ['train csa --preset photos-200', 'photographs: ImageNet weights, the last stages learn on'],
        ['train ce --backbone efficientnet-lite0 --tune heads', 'the heads alone, on features that are kept'],
        ['train csa --dry-run', 'what it would do'],
      ),
    )
    .action((methodName, options) =>
      cli.perform('train', async (session) => {
        const { takeSnapshot } = await import('../../data/snapshot.ts');
        const { startRun } = await import('../../services/runs.ts');
        const { planRun, proposePreset, trainingFacts } = await import('../../services/training-plan.ts');
        const { groupThresholds } = await import('../../services/stats.ts');
        const method = METHODS.find((name) => name === methodName);
        if (!method)
          throw new UserError('usage', `There is no method "${methodName}". The methods are ${METHODS.join(', ')}.`);
        const project = await session.project();
        const { store } = project;
        const preset: PresetName = options.preset ?? proposePreset(trainingFacts(store));
        const overrides = overridesFrom(options, method, preset, groupThresholds(store));
        const { name, checkpointSeconds } = options;
        const request = {
          method,
          preset,
          overrides,
          ...(name === undefined ? {} : { name }),
          ...(checkpointSeconds === undefined ? {} : { checkpointSeconds }),
        };
        const plan = planRun(takeSnapshot(store), request);
        if (options.dryRun) return { data: { plan: { preset, ...plan } }, text: planText(preset, plan) };
        for (const { message } of plan.rules) session.note(`Note: ${message}`);
        const held = store.contexts.bankSize() + store.backgrounds.counts().held;
        if (method === 'csa' && plan.config.curatedShare === 0 && held > 0) {
          session.note(`Note: The ${held} accepted in the bank are not used; --curated 1 lays on those and no others.`);
        }
        const watch = watchRun(session, plan.config.epochs);
        return finished(session, () => startRun(project, request, session.runJob, watch));
      }),
    );

  parent
    .command('resume')
    .description('Go on with a run that was stopped: digit for digit on the same machine and build.')
    .argument('[run]', 'its number (default: the newest that has not finished)', integer(1))
    .option('--checkpoint-seconds <seconds>', 'time between checkpoints (default: 60)', number(0))
    .addHelpText('after', examples(['resume', 'the newest unfinished run'], ['resume 3', 'run 3']))
    .action((wanted, { checkpointSeconds }) =>
      cli.perform('resume', async (session) => {
        const { findRun } = await import('../../services/run-data.ts');
        const { listRuns, resumeRun } = await import('../../services/runs.ts');
        const project = await session.project();
        const run =
          wanted === undefined ? listRuns(project).find(({ state }) => state !== 'finished') : findRun(project, wanted);
        if (!run) throw new UserError('not-found', 'There is no unfinished run. "contexture runs" lists all runs.');
        const { TrainConfig } = await import('../../training/config.ts');
        const watch = watchRun(session, TrainConfig.parse(run.config).epochs);
        const pace = checkpointSeconds === undefined ? {} : { checkpointSeconds };
        return finished(session, () => resumeRun(project, run.id, session.runJob, { ...watch, ...pace }));
      }),
    );
};

/** Show what a run tells while it goes. */
function watchRun(session: Session, epochs: number): { onEvent: (event: TrainEvent) => void; signal: AbortSignal } {
  const onEvent = (event: TrainEvent): void => {
    session.emit(event);
    if (event.type === 'epoch') session.note(epochLine(event, epochs));
    if (event.type === 'warning') session.note(`${isNote(event) ? 'Note' : 'Warning'}: ${event.message}`);
    if (event.type === 'engine') {
      const { device, tensorflow, threads, processor } = event.engine;
      session.note(
        `Engine: TensorFlow ${tensorflow}, ${device === 'cpu' ? `${plural(threads, 'thread')} of ${processor}` : 'GPU'}`,
      );
    }
  };
  return { onEvent, signal: session.signal };
}

/** The outcome of a run that has ended or was stopped. */
async function finished(session: Session, work: () => Promise<Run>): Promise<Outcome> {
  let run: Run;
  try {
    run = await work();
  } catch (error) {
    if (!(error instanceof UserError) || error.code !== 'cancelled') throw error;
    // Stopped before the job had anything to keep: the run is there all the same.
    const [newest] = (await session.project()).store.runs.list();
    throw new UserError('cancelled', `${error.message} ${howToGoOn(newest)}`, { cause: error });
  }
  const error =
    run.state === 'stopped' ? new UserError('cancelled', `Run ${run.id} was stopped. ${howToGoOn(run)}`) : undefined;
  return { data: { run }, text: runText(run), error };
}

const howToGoOn = (run: Run): string => `Go on with: contexture resume ${run.id}`;

function augmentText({ crop, pad, flip, leastArea, jitter }: RunPlan['config']['augment']): string {
  const parts = [
    crop === 'resized'
      ? `a random part of ${percent(leastArea)} or more, resized`
      : `padded by ${percent(pad)}, random crop`,
  ];
  if (flip) parts.push('flip');
  if (jitter > 0) parts.push(`colour jitter ${jitter}`);
  return parts.join(', ');
}

function planText(
  preset: PresetName,
  { config, rules, proposedInputSize, cost, trainImages, stepsPerEpoch }: RunPlan,
): string {
  const size =
    config.inputSize === proposedInputSize ? 'fits the pictures' : `${proposedInputSize} would fit the pictures`;
  const lines: [string, string][] = [
    ['Method', config.method],
    ['Preset', PRESET_SETTINGS[preset].title],
    ['Network', networkText(config)],
    ['Trained', tuningText(config)],
    ['Input size', `${config.inputSize} px (${size}); a step costs ${cost.toFixed(1)} times one at 32 px`],
    ['Augmentation', augmentText(config.augment)],
    ['Training images', count(trainImages)],
    ['Epochs', `${config.epochs} of ${count(stepsPerEpoch)} steps of ${config.batchSize} images a stream`],
    [
      'Learning rate',
      `${config.learningRate}, warm-up ${plural(config.warmupEpochs, 'epoch')}, a tenth from epoch ${config.dropEpochs.map((epoch) => epoch + 1).join(' and ')}`,
    ],
    ['Second stream', `from epoch ${config.startBalanced + 1}`],
    [
      'Bank',
      `${count(config.bankSize)} contexts, ${config.keepBank ? 'kept' : 'emptied each epoch'}, delta ${config.delta}`,
    ],
    ['Seed', String(config.seed)],
    ['Threads', String(config.threads)],
    ['Precision', config.precision],
  ];
  return [facts(lines), ...rules.map(({ message }) => `Note: ${message}`)].join('\n');
}
