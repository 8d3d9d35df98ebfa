/** Every setting of a run with its words, in groups. What a setting may be comes from the service. */
import type { MethodName } from '../../../../core/api/training.ts';

export interface FieldWords {
  /** Path such as "lambda.min". */
  setting: string;
  label: string;
  hint: string;
  unit?: string;
  /** Step of the arrow keys; 1 means whole numbers. */
  step?: number;
  /** Names of choices, where it has some. */
  choices?: Readonly<Record<string, string>>;
  /** Value of a choice, where it is not its text. */
  parse?: (text: string) => string | number;
  /** It is on or off. */
  onOff?: boolean;
  /** Methods that it matters for; all when absent. */
  methods?: readonly MethodName[];
}

export interface FieldGroup {
  title: string;
  text: string;
  fields: readonly FieldWords[];
}

const TWO: readonly MethodName[] = ['control', 'csa'];
const CSA: readonly MethodName[] = ['csa'];

export const FIELD_GROUPS: readonly FieldGroup[] = [
  {
    title: 'Schedule',
    text: 'How long and how fast. What follows from the number of epochs is scaled with it until you set it yourself.',
    fields: [
      { setting: 'epochs', label: 'Epochs', unit: 'epochs', step: 1, hint: 'Passes over the training images.' },
      { setting: 'batchSize', label: 'Batch size', unit: 'images', step: 1, hint: 'Images a step, of each stream.' },
      {
        setting: 'learningRate',
        label: 'Learning rate',
        step: 0.01,
        hint: 'Of SGD with momentum, before warm-up and drops.',
      },
      { setting: 'momentum', label: 'Momentum', step: 0.05, hint: 'Share of the last update that is kept.' },
      { setting: 'weightDecay', label: 'Weight decay', step: 0.0001, hint: 'How strongly weights are pulled to 0.' },
      {
        setting: 'warmupEpochs',
        label: 'Warm-up',
        unit: 'epochs',
        step: 1,
        hint: 'The rate rises in a line over so many.',
      },
      {
        setting: 'dropEpochs.0',
        label: 'First drop after',
        unit: 'epochs',
        step: 1,
        hint: 'From there the rate is a tenth.',
      },
      {
        setting: 'dropEpochs.1',
        label: 'Second drop after',
        unit: 'epochs',
        step: 1,
        hint: 'From there it is a hundredth.',
      },
      {
        setting: 'startBalanced',
        label: 'Balanced branch after',
        unit: 'epochs',
        step: 1,
        hint: 'Until then the plain branch learns alone.',
        methods: TWO,
      },
      {
        setting: 'minSteps',
        label: 'Fewest steps an epoch',
        unit: 'steps',
        step: 1,
        hint: 'Small sets are shown more than once in an epoch.',
      },
      {
        setting: 'evaluateEvery',
        label: 'Evaluate every',
        unit: 'epochs',
        step: 1,
        hint: 'The last epoch always is.',
      },
    ],
  },
  {
    title: 'Fine-tuning',
    text: 'Which weights are begun with, what of them learns on, and how fast.',
    fields: [
      {
        setting: 'tune.stages',
        label: 'Trained',
        hint: 'Frozen stages stay as they are. With the heads alone each picture is looked at once; only pictures with a context laid on are looked at each time.',
        choices: {
          0: 'The heads alone',
          1: 'The last stage',
          2: 'The last 2 stages',
          3: 'The last 3 stages',
          4: 'The last 4 stages',
          5: 'The last 5 stages',
          6: 'The last 6 stages',
          7: 'The last 7 stages',
          8: 'The last 8 stages',
          all: 'Everything',
        },
        parse: (text) => (text === 'all' ? text : Number(text)),
      },
      {
        setting: 'tune.rate',
        label: 'Rate of the backbone',
        step: 0.05,
        hint: 'Relative to that of the heads, which begin at random.',
      },
      {
        setting: 'tune.batchNorm',
        label: 'Batch normalisation',
        hint: 'Statistics of small batches are rough: frozen ones stay those of the weights begun with.',
        choices: { batch: 'By the batch', frozen: 'Frozen statistics' },
      },
    ],
  },
  {
    title: 'Network and pictures',
    text: 'What is trained, at which size, and how pictures are varied.',
    fields: [
      {
        setting: 'inputSize',
        label: 'Input size',
        unit: 'px',
        step: 1,
        hint: 'Side of the square that the network sees.',
      },
      {
        setting: 'model.kind',
        label: 'Network',
        hint: 'ResNet-18 is for pictures of 64 px and more.',
        choices: {
          'resnet-cifar': 'Small ResNet (CIFAR form)',
          resnet18: 'ResNet-18',
          'efficientnet-lite0': 'EfficientNet-Lite0',
          'efficientnet-lite2': 'EfficientNet-Lite2',
        },
      },
      { setting: 'model.blocks', label: 'Blocks a stage', step: 1, hint: '5 is ResNet-32, 1 is ResNet-8.' },
      {
        setting: 'augment.crop',
        label: 'Crop',
        hint: 'Which part of a picture a step is shown.',
        choices: { padded: 'Whole picture, shifted', resized: 'Random part, resized' },
      },
      { setting: 'augment.pad', label: 'Shift', step: 0.01, hint: 'Padding before the crop, as a share of the size.' },
      {
        setting: 'augment.leastArea',
        label: 'Smallest part',
        step: 0.01,
        hint: 'Share of a picture that a resized part has at least.',
      },
      { setting: 'augment.flip', label: 'Mirror', hint: 'Pictures are mirrored left to right at random.', onOff: true },
      {
        setting: 'augment.jitter',
        label: 'Colour jitter',
        step: 0.05,
        hint: 'How far brightness, contrast and saturation vary; 0 is not at all.',
      },
    ],
  },
  {
    title: 'Contexts',
    text: 'What context-shift augmentation keeps in its bank and lays over the small classes.',
    fields: [
      {
        setting: 'delta',
        label: 'Confidence (delta)',
        step: 0.05,
        hint: 'Smallest probability of a sample whose context enters the bank.',
        methods: CSA,
      },
      {
        setting: 'bankSize',
        label: 'Bank size',
        unit: 'contexts',
        step: 1,
        hint: 'The newest are kept; at least a batch.',
        methods: CSA,
      },
      {
        setting: 'keepBank',
        label: 'Keep the bank',
        hint: 'Carry it over from epoch to epoch instead of emptying it.',
        onOff: true,
        methods: CSA,
      },
      {
        setting: 'contextClasses',
        label: 'Contexts from',
        hint: 'Whose confident samples enter the bank.',
        choices: { any: 'Any class', head: 'Classes with many images' },
        methods: CSA,
      },
      {
        setting: 'lambda.min',
        label: 'Lambda from',
        step: 0.05,
        hint: 'How strongly a context is laid on, at least.',
        methods: CSA,
      },
      { setting: 'lambda.max', label: 'Lambda to', step: 0.05, hint: 'And at most.', methods: CSA },
      {
        setting: 'lambda.per',
        label: 'One lambda for',
        hint: 'The paper draws one for a batch.',
        choices: { batch: 'Each batch', image: 'Each image' },
        methods: CSA,
      },
      {
        setting: 'mask',
        label: 'Mask',
        hint: 'A random region of the same area is a control.',
        choices: { saliency: 'By saliency', random: 'Random region (control)' },
        methods: CSA,
      },
      {
        setting: 'curatedShare',
        label: 'From the curated bank',
        step: 0.05,
        hint: 'Share of contexts that you have accepted: 0 none, 1 all.',
        methods: CSA,
      },
      {
        setting: 'curatedUses',
        label: 'Uses of one context',
        unit: 'times',
        step: 1,
        hint: 'A context you have accepted is drawn so often at most; 0 is no limit.',
        methods: CSA,
      },
      {
        setting: 'curatedUsesPer',
        label: 'That limit is for',
        hint: 'Once they are used up, contexts that the run finds take their place.',
        choices: { run: 'The whole run', epoch: 'Each epoch' },
        methods: CSA,
      },
    ],
  },
  {
    title: 'Groups',
    text: 'Which classes figures call many, medium and few. The project’s thresholds unless set here.',
    fields: [
      {
        setting: 'groups.many',
        label: 'Many: more than',
        unit: 'images',
        step: 1,
        hint: 'Of the training split.',
      },
      { setting: 'groups.few', label: 'Few: fewer than', unit: 'images', step: 1, hint: 'Medium lies between.' },
    ],
  },
  {
    title: 'Engine',
    text: 'Digits repeat on the same machine with the same number of threads.',
    fields: [
      { setting: 'threads', label: 'Threads', step: 1, hint: 'Inside an operation; 0 is all cores.' },
      {
        setting: 'precision',
        label: 'Precision',
        hint: 'Of maps between layers while training. bfloat16 needs a processor that has it.',
        choices: { float32: 'float32', bfloat16: 'bfloat16' },
      },
    ],
  },
];

/** Settings that are set as a whole, because their parts depend on each other. */
export const WHOLE: readonly string[] = ['model', 'groups', 'dropEpochs'];
