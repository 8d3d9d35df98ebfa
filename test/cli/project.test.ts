import assert from 'node:assert/strict';
import { existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { EXIT_CODES } from '../../core/base/errors.ts';
import { temporaryFolder } from '../fixtures/temporary.ts';
import { jsonLines, lastJson, makePictures, run, runJson, start, type Result } from './command-line.ts';

/** A folder with pictures in ./birds and their project beside it. */
const cwd = temporaryFolder();
const contexture = (...args: string[]): Promise<Result> => run(args, { cwd });
const json = (...args: string[]): Promise<Record<string, unknown>> => runJson(args, { cwd });

before(async () => {
  makePictures(join(cwd, 'birds'), {
    'train/owl': 30,
    'train/eagle': 12,
    'train/wren': 5,
    'test/owl': 4,
    'test/eagle': 4,
  });
  const { code, stdout, stderr } = await contexture('import', 'birds', '--project', 'birds.contexture');
  assert.equal(code, 0, stderr);
  assert.match(stdout, /^55 images \(55 new\) in 3 classes from .*birds, \d+ s\n/);
});

test('the last line of --json has ok, the command and what it found; events come before it', async () => {
  const { code, stdout, stderr } = await contexture('import', 'birds', '--json');
  assert.deepEqual([code, stderr], [0, '']);
  const lines = jsonLines(stdout);
  assert.ok(lines.length > 1 && lines.slice(0, -1).every(({ type }) => type === 'progress'));
  const { ok, command, project, images, added, unchanged } = lines.at(-1) ?? {};
  assert.deepEqual(
    [ok, command, project, images, added, unchanged],
    [true, 'import', join(cwd, 'birds.contexture'), 55, 0, 55],
  );
});

test('stats: for people and as data', async () => {
  const { stdout } = await contexture('stats', '--table');
  assert.match(stdout, /^Splits +train 47, val 0, test 8$/m);
  assert.match(stdout, /^owl +30 +0 +4 +0 +medium/m);
  const { images, splits, tail } = await json('stats', '--duplicates', '--problems');
  assert.deepEqual(images, { usable: 55, excluded: 0, missing: 0, changed: 0 });
  assert.deepEqual(splits, { train: 47, val: 0, test: 8, unassigned: 0 });
  assert.equal((tail as { ratio: number }).ratio, 6);
});

test('thresholds of the groups are kept in the project', async () => {
  assert.equal((await contexture('stats', '--set-groups', '20,30')).code, EXIT_CODES.usage);
  assert.match((await contexture('stats', '--set-groups', '20,6')).stdout, /3: 1 many/);
  const { stdout } = await contexture('stats');
  assert.match(stdout, /3: 1 many \(over 20\), 1 medium, 1 few \(under 6\)/);
});

test('edits: images by number, path and folder; history and undo', async () => {
  const exclude = await json('edit', 'exclude', '1', 'train/owl/0003.png', 'birds/train/wren/', '--reason', 'blurred');
  assert.equal((exclude.edit as { changes: number }).changes, 7);
  await json('edit', 'relabel', 'hawk', 'train/eagle/0000.png', '--create');
  await json('edit', 'merge', 'hawk', 'eagle', '--into', 'raptor');
  const { edit, classes } = await json('edit', 'long-tail', '--ratio', '10', '--by-size');
  const left = (classes as { images: number; kept: number }[]).map(({ images, kept }) => images - kept);
  assert.deepEqual([left.length, left[0], (edit as { changes: number }).changes], [2, 0, left[1]]);

  const { stdout } = await contexture('edit', 'history');
  assert.match(stdout, /Excluded 7 images: blurred\.\n.*class hawk\.\n.*Merged hawk, eagle into raptor\./);
  for (let undone = 0; undone < 4; undone++) await json('edit', 'undo');
  assert.equal((await contexture('edit', 'undo')).code, EXIT_CODES.empty);
  assert.deepEqual((await json('stats')).splits, { train: 47, val: 0, test: 8, unassigned: 0 });
});

test('what is not there is named, exit code 3', async () => {
  for (const args of [
    ['edit', 'exclude', 'train/owl/nothing.png'],
    ['stats', '--project', 'none.contexture'],
    ['show', '9'],
    ['verify', 'no-such-export'],
  ]) {
    const { code, stderr } = await contexture(...args, '--quiet');
    assert.equal(code, EXIT_CODES['not-found'], `${args.join(' ')}: ${stderr}`);
    assert.match(stderr, /^contexture: .*\n$/);
  }
  assert.ok(!existsSync(join(cwd, 'none.contexture')));
});

test('a file that is no project is refused and not touched, exit code 4', async () => {
  const file = join(cwd, 'notes.txt');
  writeFileSync(
    file,
    'my notes, which are longer than a header of a hundred bytes would be, and no database at all: none',
  );
  assert.equal((await contexture('import', 'birds', '--project', file)).code, EXIT_CODES.damaged);
  assert.match(readFileSync(file, 'utf8'), /^my notes.*none$/);
});

test('a second writer is refused by name, exit code 5', async () => {
  const folder = temporaryFolder();
  makePictures(join(folder, 'many'), { a: 500, b: 500 });
  const first = start(['import', 'many', '--project', 'p.contexture', '--json'], { cwd: folder });
  await first.until('"Reading pictures"');
  // It stands still, with the project open.
  first.child.kill('SIGSTOP');
  const second = await run(['stats'], { cwd: folder });
  assert.equal(second.code, EXIT_CODES.locked);
  assert.match(second.stderr, /open in contexture import \(process \d+/);
  assert.ok(second.stderr.includes(String(first.child.pid)));
  first.child.kill('SIGKILL');
  await first.ended;
  // A killed holder leaves no lock behind.
  assert.equal((await run(['stats'], { cwd: folder })).code, 0);
});

test('Ctrl-C during an import keeps what was read; the same command goes on', async () => {
  const folder = temporaryFolder();
  makePictures(join(folder, 'many'), { a: 6000, b: 6000 });
  const args = ['import', 'many', '--project', 'p.contexture', '--json'];
  const first = start(args, { cwd: folder });
  const read = (): number => {
    const lines = jsonLines(first.stdout.replace(/[^\n]*$/, ''));
    return Number(lines.findLast(({ stage }) => stage === 'Reading pictures')?.done ?? 0);
  };
  await first.until('"Reading pictures"');
  while (read() <= 1100) await sleep(5);
  first.child.kill('SIGINT');
  assert.equal(await first.ended, EXIT_CODES.cancelled);
  const { ok, code, message } = lastJson(first.stdout);
  assert.deepEqual([ok, code], [false, 'cancelled']);
  assert.match(String(message), /import again to go on/);

  const kept = lastJson((await run(['stats', '--json'], { cwd: folder })).stdout).images as { usable: number };
  assert.ok(kept.usable >= 1024 && kept.usable < 12_000, String(kept.usable));
  const again = lastJson((await run(args, { cwd: folder })).stdout);
  assert.deepEqual([again.images, again.unchanged, again.added], [12_000, kept.usable, 12_000 - kept.usable]);
});

test('a pipe that closes early ends the command quietly', async () => {
  const call = start(['stats', '--json'], { cwd });
  call.child.stdout?.destroy();
  assert.equal(await call.ended, 0);
  assert.equal(call.stderr, '');
});

test('sources: listed, looked at again, followed to where they moved', async () => {
  const moved = join(temporaryFolder(), 'elsewhere');
  makePictures(join(cwd, 'more'), { owl: 3, wren: 2 });
  const { sourceId } = await json('import', 'more');
  renameSync(join(cwd, 'more'), moved);

  const { code, stderr } = await contexture('source', 'rescan', String(sourceId));
  assert.equal(code, EXIT_CODES['not-found']);
  assert.match(stderr, /contexture source relink/);
  assert.equal((await json('source', 'relink', String(sourceId), moved)).images, 5);
  const { sources } = await json('source', 'list');
  assert.deepEqual(
    (sources as { path: string }[]).map(({ path }) => path),
    [join(cwd, 'birds'), moved],
  );

  rmSync(join(moved, 'owl', '0000.png'));
  const [, second] = (await json('source', 'rescan')).sources as { missing: number }[];
  assert.equal(second.missing, 1);
});

test('sources: removed and brought back, by number and by importing again', async () => {
  const usable = async (): Promise<unknown> => ((await json('stats')).images as { usable: number }).usable;
  const ours = await usable();
  makePictures(join(cwd, 'wrong'), { cat: 4, dog: 2 });
  const { sourceId } = await json('import', 'wrong');
  const number = String(sourceId);
  const { code, stdout } = await contexture('source', 'remove', number);
  assert.equal(code, 0);
  assert.match(
    stdout,
    /is removed: 6 images and 0 contexts \(0 in the bank\) out of use\. Its files were not touched\./,
  );
  assert.ok(stdout.includes(`contexture source restore ${number}`));
  assert.equal(await usable(), ours);
  assert.ok(!(await contexture('source', 'list')).stdout.includes('wrong'));
  assert.match((await contexture('source', 'list', '--removed')).stdout, /wrong$/m);
  const { sources } = await json('source', 'rescan');
  assert.ok((sources as { sourceId: number }[]).every((source) => source.sourceId !== sourceId));
  assert.equal((await contexture('source', 'remove', number)).code, EXIT_CODES.usage);
  assert.equal((await contexture('source', 'remove', '99')).code, EXIT_CODES['not-found']);

  const { images, scan } = await json('source', 'restore', number);
  assert.deepEqual([images, scan, await usable()], [6, null, (ours as number) + 6]);
  assert.equal((await contexture('source', 'restore', number)).code, EXIT_CODES.usage);
  await json('source', 'remove', number);
  makePictures(join(cwd, 'wrong'), { cow: 1 });
  rmSync(join(cwd, 'wrong', 'cat', '0000.png'));
  const back = await json('source', 'restore', number);
  const { added, missing } = back.scan as { added: number; missing: number };
  assert.deepEqual([added, missing], [1, 1], 'changed files are scanned');

  await json('source', 'remove', number);
  const again = await json('import', 'wrong');
  assert.deepEqual([again.sourceId, again.added, again.images], [sourceId, 0, 6]);
  await json('source', 'remove', number);
  renameSync(join(cwd, 'wrong'), join(cwd, 'moved'));
  assert.equal((await contexture('stats')).stderr, '', 'nobody is told that a removed source is not there');
  assert.equal(await usable(), ours);
});

test('export and verify; a changed export is told, exit code 4', async () => {
  assert.equal((await contexture('export', 'out', '--add', '2', '--fill', '9')).code, EXIT_CODES.usage);
  assert.equal((await contexture('export', 'out', '--add', '2', '--quiet')).code, EXIT_CODES.empty);
  const recipe = ['--add', '2', '--arm', 'no-paste', '--size', '16', '--copy', 'test'];
  const planned = await json('export', 'out', ...recipe, '--dry-run');
  assert.deepEqual([planned.state, existsSync(join(cwd, 'out'))], ['planned', false]);
  const made = await json('export', 'out', ...recipe);
  assert.deepEqual([made.state, (made.report as { ok: boolean }).ok], ['finished', true]);
  assert.match((await contexture('exports')).stdout, /verified .*out$/m);

  // What a command prints as its recipe can be given to the next one.
  writeFileSync(join(cwd, 'recipe.json'), JSON.stringify(made.recipe));
  const again = await json('export', 'out2', '--recipe', 'recipe.json', '--format', 'webp');
  assert.deepEqual(again.recipe, { ...(made.recipe as object), format: { kind: 'webp', quality: 95 } });

  const classes = async (...args: string[]): Promise<unknown> => {
    const { recipe: asked } = await json('export', 'out3', '--dry-run', '--recipe', 'recipe.json', ...args);
    return (asked as { perClass?: unknown }).perClass;
  };
  assert.equal(await classes(), undefined);
  const owl = { class: 'owl', amount: { kind: 'add', images: 5 } };
  assert.deepEqual(await classes('--class', 'owl=+5'), [owl]);
  writeFileSync(join(cwd, 'recipe.json'), JSON.stringify({ ...(made.recipe as object), perClass: [owl] }));
  assert.deepEqual(await classes(), [owl], 'a recipe keeps its amounts of classes');
  assert.deepEqual(await classes('--class=owl=x2', '--class', 'wren=9'), [
    { class: 'owl', amount: { kind: 'multiply', by: 2 } },
    { class: 'wren', amount: { kind: 'fill', to: 9 } },
  ]);
  const strange = await contexture('export', 'out3', '--dry-run', '--class', 'owl');
  assert.equal(strange.code, EXIT_CODES.usage);
  assert.match(strange.stderr, /--class.*CLASS=500/);

  const { rebuilt } = await json('verify', 'out', '--rebuild');
  assert.equal(rebuilt, made.pictures);
  writeFileSync(join(cwd, 'out', 'extra.txt'), '');
  const failed = await contexture('verify', 'out', '--json');
  assert.equal(failed.code, EXIT_CODES.verify);
  const { ok, code, problems } = lastJson(failed.stdout);
  assert.deepEqual([ok, code, (problems as { kind: string }[])[0].kind], [false, 'verify', 'extra']);
});
