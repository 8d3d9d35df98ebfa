import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { writeDurably } from '../../core/base/durable-file.ts';
import { UserError, type ErrorCode } from '../../core/base/errors.ts';
import { asJson } from '../../core/base/json.ts';
import { runJob } from '../../core/jobs/runner.ts';
import { encodeBackbonePack, type BackboneCard } from '../../core/models/backbone-card.ts';
import { backbonePath, findPack } from '../../core/models/backbone-pack.ts';
import { decodeModelFile, encodeModelFile } from '../../core/models/model-file.ts';
import { decodeOnnx } from '../../core/onnx/onnx-file.ts';
import { modelCard } from '../../core/services/model-card.ts';
import { pythonScript } from '../../core/services/model-example.ts';
import { exportModel, type ModelExportOptions } from '../../core/services/model-export.ts';
import { pictureInputs } from '../../core/services/predict-inputs.ts';
import { predictPictures } from '../../core/services/predict.ts';
import { cardOfModel, modelOfRun } from '../../core/services/run-model.ts';
import type { Project } from '../../core/storage/project.ts';
import { TrainConfig } from '../../core/training/config.ts';
import { isNote } from '../../core/training/warnings.ts';
import { trainedProject } from '../fixtures/runs.ts';
import { runInProcess } from '../fixtures/in-process.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';

const folder = temporaryFolder();
let project: Project;
let pictures: string;

before(async () => {
  ({ project, pictures } = await trainedProject());
});
after(() => project.close());

const options = (name: string, fields: Partial<ModelExportOptions> = {}): ModelExportOptions => ({
  folder: join(folder, name),
  files: ['onnx', 'safetensors', 'card'],
  onnx: { head: null, bothHeads: false, fold: false, batch: null },
  overwrite: false,
  ...fields,
});
const rejects = (work: Promise<unknown>, code: ErrorCode, text: RegExp): Promise<void> =>
  assert.rejects(work, (error) => {
    assert.ok(error instanceof UserError, String(error));
    assert.equal(error.code, code, error.message);
    assert.match(error.message, text);
    return true;
  });

test('a run becomes three files: ONNX that was checked, the model as it is kept, a card', async () => {
  const model = modelOfRun(project, 2, null);
  const stages = new Set<string>();
  const outcome = await exportModel(project, model, options('all'), runJob, {
    onEvent: ({ stage }) => stages.add(stage),
  });
  assert.deepEqual(
    outcome.files.map(({ kind, path }) => [kind, path]),
    [
      ['onnx', join(folder, 'all', 'model.onnx')],
      ['safetensors', join(folder, 'all', 'model.safetensors')],
      ['card', join(folder, 'all', 'README.md')],
    ],
  );
  for (const { path, bytes } of outcome.files) assert.equal(readFileSync(path).length, bytes);
  assert.equal(readdirSync(join(folder, 'all')).length, 3);
  assert.ok(stages.has('Checking in ONNX Runtime'));
  const { onnx } = outcome;
  assert.ok(onnx && onnx.head === 'balanced' && onnx.checked.pictures > 0 && onnx.checked.difference <= 1e-4);
  assert.deepEqual(readFileSync(join(folder, 'all', 'model.safetensors')), readFileSync(model.path));
  const { metadataProps } = decodeOnnx(readFileSync(join(folder, 'all', 'model.onnx')));
  assert.equal(metadataProps.find(({ key }) => key === 'dataset_hash')!.value, model.run.datasetHash);
});

test('the card tells what is stored: data, classes, figures, warnings, the check; names of folders are text', async () => {
  const card = readFileSync(join(folder, 'all', 'README.md'), 'utf8');
  const { run } = modelOfRun(project, 2, null);
  assert.match(
    card,
    /^---\npipeline_tag: image-classification\ntags:\n(- .+\n)+metrics:\n- accuracy\n---\n\n# Context-shift augmentation, seed 1\n/,
  );
  assert.doesNotMatch(card, /licen[cs]e:/i);
  assert.ok(card.includes(run.datasetHash) && card.includes('Context-shift augmentation'));
  assert.match(card, /Checked in ONNX Runtime when it was written: on \d+ pictures/);
  const figures = run.figures as unknown as {
    split: string;
    evaluation: { images: number; heads: { balanced: { top1: { value: number } } } };
  };
  assert.ok(card.includes(`${figures.evaluation.images} images`) && card.includes(figures.split));
  assert.ok(card.includes(`${(100 * figures.evaluation.heads.balanced.top1.value).toFixed(1)} %`));
  const model = await cardOfModel(modelOfRun(project, 2, null));
  for (const [label, name] of model.classes.entries()) {
    assert.match(card, new RegExp(`\\n\\| ${name} \\| (many|medium|few) \\| ${model.trainCounts[label]} \\| `));
  }
  const told = project.store.runs.warnings(2);
  assert.ok(told.length > 0);
  for (const one of told) assert.equal(card.includes(one.message.slice(0, 20)), !isNote(one), one.message);

  project.store.runs.update(1, { name: '<script>alert(1)</script> | a *run*\n# no heading' });
  const odd = await exportModel(project, modelOfRun(project, 1, null), options('odd', { files: ['card'] }), runJob);
  const text = readFileSync(odd.files[0].path, 'utf8');
  assert.match(text, /\n# &lt;script&gt;alert\(1\)&lt;\/script&gt; \\\| a \\\*run\\\* \\# no heading\n/);
  assert.equal(odd.onnx, null);
  assert.doesNotMatch(text, /## Files|```python/);
});

test('what is in the way stays; a head that was not trained and a run that is not there are refused', async () => {
  const model = modelOfRun(project, 2, null);
  writeFileSync(join(folder, 'all', 'README.md'), 'mine');
  await rejects(exportModel(project, model, options('all'), runJob), 'exists', /model\.onnx is there already/);
  await rejects(
    exportModel(project, model, options('all', { files: ['card'] }), runJob),
    'exists',
    /README\.md is there already/,
  );
  assert.equal(readFileSync(join(folder, 'all', 'README.md'), 'utf8'), 'mine');
  const fields: Partial<ModelExportOptions> = {
    overwrite: true,
    onnx: { head: 'mean', bothHeads: true, fold: true, batch: 2 },
  };
  const again = await exportModel(project, model, options('all', fields), runJob);
  assert.equal(again.onnx!.outputs.length, 4);
  assert.match(readFileSync(join(folder, 'all', 'README.md'), 'utf8'), /mean of both, `uniform_logits`/);
  await assert.rejects(async () => modelOfRun(project, 9, null), /no run 9/);
  const signal = AbortSignal.abort();
  await rejects(exportModel(project, model, options('never'), runJob, { signal }), 'cancelled', /./);
  assert.ok(!existsSync(join(folder, 'never', 'model.onnx')));
});

test('the card of a fine-tuned model names its starting weights, with their licence as long as they are the same', async () => {
  const kept = process.env.CONTEXTURE_CACHE;
  process.env.CONTEXTURE_CACHE = temporaryFolder();
  try {
    const card: BackboneCard = {
      format: 'contexture backbone 1',
      kind: 'resnet18',
      source: 'a <file> of mine',
      sourceHash: 'a'.repeat(64),
      licence: 'CC-BY-4.0',
      normalisation: null,
    };
    writeDurably(backbonePath('mine'), encodeBackbonePack(card, new Map()));
    const { run } = modelOfRun(project, 2, null);
    const weights = { name: 'mine', hash: findPack('mine')!.hash, normalisation: null };
    const config = { ...TrainConfig.parse(run.config), weights, tune: { stages: 2, rate: 0.1, batchNorm: 'frozen' } };
    const tuned = project.store.runs.add({ ...run, config: asJson(config) });
    const text = async (): Promise<string> => modelCard(project, modelOfRun(project, tuned.id, null), ['card'], null);
    assert.match(await text(), /started from the weights “mine”/);
    assert.match(
      await text(),
      /mine, file `[0-9a-f]{64}` \(SHA-256\), made from a &lt;file&gt; of mine, licence CC-BY-4\.0/,
    );
    assert.match(
      await text(),
      /the last 2 of \d+ stages and the heads, the backbone at 0\.1 of the rate, batch-norm statistics frozen/,
    );
    // Another file of that name says nothing about the one that the run started from.
    writeDurably(backbonePath('mine'), encodeBackbonePack({ ...card, licence: 'MIT' }, new Map()));
    assert.doesNotMatch(await text(), /licence/);
  } finally {
    if (kept === undefined) delete process.env.CONTEXTURE_CACHE;
    else process.env.CONTEXTURE_CACHE = kept;
  }
});

test('a model that no longer computes what it did gives no file', async () => {
  const model = modelOfRun(project, 2, null);
  const file = decodeModelFile(readFileSync(model.path), 'm');
  file.weights.trunk[500] += 1;
  const blob = project.blobs.put(Buffer.concat(encodeModelFile(file)));
  const wrong = { ...model, blob, path: project.blobs.path(blob) };
  await rejects(exportModel(project, wrong, options('wrong'), runJob), 'damaged', /ONNX file was not kept: .* % off/);
  assert.ok(!existsSync(join(folder, 'wrong')));
});

/** A Python that can run an ONNX file, where there is one: `CONTEXTURE_PYTHON`, else python3. */
const python = process.env.CONTEXTURE_PYTHON ?? 'python3';
const able = spawnSync(python, ['-c', 'import onnxruntime, numpy, PIL']).status === 0;

test(
  "the card's lines of Python give the answers of predict",
  {
    skip: able ? false : `${python} has no onnxruntime with numpy and Pillow`,
  },
  async () => {
    const model = modelOfRun(project, 2, null);
    await exportModel(project, model, options('python', { files: ['onnx'] }), runJob);
    const script = join(folder, 'python', 'use.py');
    writeFileSync(script, pythonScript(await cardOfModel(model)));
    const images = [...project.store.images.iterate({ split: 'test' })].slice(0, 5);
    const paths = images.map(({ path }) => join(pictures, path));
    const lines = execFileSync(python, [script, ...paths], { cwd: join(folder, 'python'), encoding: 'utf8' });
    let text = '';
    await predictPictures(
      {
        model: model.path,
        inputs: await pictureInputs(paths, folder, null),
        format: 'json',
        out: (part) => (text += part),
      },
      runInProcess,
    );
    const told = (JSON.parse(text) as { pictures: { classes: { class: string; probability: number }[] }[] }).pictures;
    const rows = lines.trim().split('\n');
    assert.equal(rows.length, paths.length);
    for (const [i, row] of rows.entries()) {
      const found = [...row.matchAll(/\('([^']+)', ([\d.e-]+)\)/g)].map(
        ([, name, value]) => [name, Number(value)] as const,
      );
      for (const [j, { class: name, probability }] of told[i].classes.entries()) {
        assert.equal(found[j][0], name);
        assert.ok(Math.abs(found[j][1] - probability) < 1e-4, row);
      }
    }
  },
);
