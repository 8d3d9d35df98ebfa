/** Settings as the Train page keeps them, and the command line that they come to. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { trainCommand } from '../../core/services/training-command.ts';
import { makeConfig } from '../../core/training/presets.ts';
import {
  isModified,
  modifiedCount,
  parseSeeds,
  valueAt,
  withoutValue,
  withValue,
  type Settings,
} from '../../renderer/pages/train/setup/values.ts';

const PRESENT: Settings = JSON.parse(JSON.stringify(makeConfig('csa', 'small', 32)));

test('values are set and read by path; what belongs together is set as a whole', () => {
  let settings: Settings = {};
  settings = withValue(settings, 'epochs', 30, PRESENT);
  settings = withValue(settings, 'lambda.max', 0.5, PRESENT);
  settings = withValue(settings, 'dropEpochs.1', 25, PRESENT);
  settings = withValue(settings, 'groups.many', 50, PRESENT);
  assert.deepEqual(settings, {
    epochs: 30,
    lambda: { max: 0.5 },
    dropEpochs: [16, 25],
    groups: { many: 50, few: 20 },
  });
  assert.equal(valueAt(settings, 'dropEpochs.1'), 25);
  assert.equal(valueAt(settings, 'lambda.min'), undefined);
  assert.equal(valueAt(settings, '__proto__.toString'), undefined);
  assert.deepEqual(withValue({}, 'model.kind', 'resnet18', PRESENT), { model: { kind: 'resnet18' } });
  assert.deepEqual(withValue({}, 'model.kind', 'resnet-cifar', PRESENT), {
    model: { kind: 'resnet-cifar', blocks: 1 },
  });
  assert.deepEqual(withValue({}, 'model.blocks', 3, PRESENT), { model: { kind: 'resnet-cifar', blocks: 3 } });
});

test('the way back takes a value away, or the whole of what belongs together', () => {
  const settings: Settings = { epochs: 30, lambda: { min: 0.1, max: 0.5 }, groups: { many: 50, few: 20 } };
  assert.deepEqual(withoutValue(settings, 'lambda.min'), { ...settings, lambda: { max: 0.5 } });
  assert.deepEqual(withoutValue({ lambda: { max: 0.5 } }, 'lambda.max'), {});
  assert.deepEqual(withoutValue(settings, 'groups.few'), { epochs: 30, lambda: { min: 0.1, max: 0.5 } });
  assert.deepEqual(withoutValue(settings, 'momentum'), settings);
});

test('modified is what a person has set; of a whole, the part that differs', () => {
  const settings: Settings = { epochs: 20, groups: { many: 50, few: 20 } };
  assert.ok(isModified(settings, 'epochs', PRESENT), 'also where it is the default by chance: it will not follow');
  assert.ok(isModified(settings, 'groups.many', PRESENT));
  assert.ok(!isModified(settings, 'groups.few', PRESENT));
  assert.ok(!isModified(settings, 'momentum', PRESENT));
  assert.deepEqual([modifiedCount({}), modifiedCount(settings)], [0, 3]);
});

test('seeds: numbers and ranges, each once, at most twenty', () => {
  assert.deepEqual(parseSeeds('1'), { seeds: [1] });
  assert.deepEqual(parseSeeds(' 3, 1-3 ,, 10 – 11'), { seeds: [3, 1, 2, 10, 11] });
  for (const text of ['', ' , ', 'x', '1.5', '-1', '3-1', '1-500', '1-15,21-35', '99999999999']) {
    assert.ok('problem' in parseSeeds(text), text);
  }
});

test('the command line names every setting', () => {
  const settings: Settings = {
    epochs: 30,
    dropEpochs: [10, 20],
    startBalanced: 2,
    model: { kind: 'resnet-cifar', blocks: 3 },
    augment: { flip: false, pad: 0.1 },
    lambda: { max: 0.5, per: 'image' },
    keepBank: false,
    groups: { many: 50, few: 10 },
    curatedShare: 0.5,
    curatedUses: 20,
    curatedUsesPer: 'epoch',
  };
  const line = trainCommand({
    method: 'csa',
    preset: 'quick',
    seed: 3,
    name: 'A run',
    settings,
    file: '/a b/c.contexture',
  });
  assert.equal(
    line,
    "contexture train csa --preset quick --seed 3 --epochs 30 --drop-epochs 10,20 --start-balanced 2 --model resnet-cifar --blocks 3 --pad 0.1 --lambda-per image --curated 0.5 --curated-uses 20 --curated-uses-per epoch --lambda 0,0.5 --groups 50,10 --bank emptied --no-flip --name 'A run' --project '/a b/c.contexture'",
  );
});
