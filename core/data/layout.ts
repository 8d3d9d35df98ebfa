/**
 * How a tree of folders says class and split.
 *
 * It is decided once for the whole tree, by depth and not by finding a name somewhere (CIFAR-100 has a class called
 * `train`):
 *
 * - `split-class`: the first level holds nothing but split folders (train, training, val, valid, validation, test,
 *   testing), and a train or test folder holds class folders. Pictures directly in a split folder have no class.
 * - `class`: every folder that holds pictures is a class, named by its path: `birds/owl`.
 *
 * A single folder around everything (as most zip files have) is looked through. A data set whose tree says something
 * else than its owner means is imported with `layout: 'class'` or `'split-class'`.
 */
import type { NewProblem, Split } from '../storage/records.ts';

export type Layout = 'class' | 'split-class';
export const LAYOUTS: readonly Layout[] = ['class', 'split-class'];

export interface LayoutDecision {
  layout: Layout;
  /** The folder around everything, with `/` between parts; "" where there is none. */
  prefix: string;
}

const SPLIT_NAMES: Readonly<Record<string, Split>> = {
  train: 'train',
  training: 'train',
  val: 'val',
  valid: 'val',
  validation: 'val',
  test: 'test',
  testing: 'test',
};

/** The split that a folder or a CSV cell of this name means, if it means one. */
export function splitOfName(name: string): Split | undefined {
  const key = name.trim().toLowerCase();
  return Object.hasOwn(SPLIT_NAMES, key) ? SPLIT_NAMES[key] : undefined;
}

/** What lies in one first-level folder: pictures directly in it, and in folders below it. */
interface Branch {
  direct: number;
  nested: number;
}

/**
 * Decide the layout.
 * @param folders pictures directly in each folder, by path; "" is the root
 * @param wanted what the user asked for
 */
export function decideLayout(
  folders: ReadonlyMap<string, number>,
  wanted: Layout | 'auto',
): LayoutDecision & { problems: NewProblem[] } {
  if (wanted === 'class') return { layout: 'class', prefix: '', problems: [] };
  for (let prefix = ''; ;) {
    const branches = branchesBelow(folders, prefix);
    const names = [...branches.keys()];
    const fits = wanted === 'split-class' ? names.some((name) => splitOfName(name)) : isSplitLevel(branches);
    if (fits) return { layout: 'split-class', prefix, problems: [] };
    const only = names.length === 1 && !folders.get(prefix) ? names[0] : undefined;
    if (only === undefined || branches.get(only)!.direct > 0) {
      const layout = wanted === 'auto' ? 'class' : wanted;
      return { layout, prefix, problems: layout === 'class' ? doubts(branches, prefix) : [] };
    }
    prefix = within(prefix, only);
  }
}

export interface Placement {
  /** Unicode NFC: one class however its name is composed on disk (macOS and Linux store the same letters differently). */
  className: string;
  /** The name as it is on disk. */
  spelling: string;
  split: Split | null;
}

/** Class and split of a file, or why it has none. */
export function classify(path: string, { layout, prefix }: LayoutDecision): Placement | { problem: NewProblem } {
  const refuse = (kind: string, reason: string): { problem: NewProblem } => ({
    problem: { path, kind, severity: 'error', reason },
  });
  if (prefix !== '' && !path.startsWith(`${prefix}/`)) {
    return refuse('outside-layout', `The pictures were imported from the folder ${prefix}; this one lies beside it.`);
  }
  const folders = path.slice(prefix === '' ? 0 : prefix.length + 1).split('/');
  folders.pop();
  let split: Split | null = null;
  if (layout === 'split-class' && folders.length > 0) {
    split = splitOfName(folders[0]) ?? null;
    if (split === null) {
      const reason = `The folder ${folders[0]} lies beside the split folders but is none. Rename or move it.`;
      return refuse('no-split', reason);
    }
    folders.shift();
  }
  if (folders.length === 0) {
    return refuse('no-class', 'The picture lies in no class folder. Move it into the folder of its class.');
  }
  const spelling = folders.join('/');
  return { className: spelling.normalize('NFC'), spelling, split };
}

const within = (folder: string, name: string): string => (folder === '' ? name : `${folder}/${name}`);

function branchesBelow(folders: ReadonlyMap<string, number>, prefix: string): Map<string, Branch> {
  const branches = new Map<string, Branch>();
  for (const [folder, count] of folders) {
    if (count === 0 || folder === prefix || !(prefix === '' || folder.startsWith(`${prefix}/`))) continue;
    const rest = folder.slice(prefix === '' ? 0 : prefix.length + 1);
    const slash = rest.indexOf('/');
    const name = slash < 0 ? rest : rest.slice(0, slash);
    const branch = branches.get(name) ?? { direct: 0, nested: 0 };
    if (slash < 0) branch.direct += count;
    else branch.nested += count;
    branches.set(name, branch);
  }
  return branches;
}

/** Nothing but split folders, with class folders inside at least the train or the test folder. */
function isSplitLevel(branches: ReadonlyMap<string, Branch>): boolean {
  const splits = [...branches].map(([name, branch]) => ({ split: splitOfName(name), branch }));
  return (
    splits.every(({ split }) => split !== undefined) &&
    splits.some(({ split, branch }) => split !== 'val' && branch.nested > branch.direct)
  );
}

/** Where folders were taken as classes but could have been meant as splits. */
function doubts(branches: ReadonlyMap<string, Branch>, prefix: string): NewProblem[] {
  const named = [...branches].filter(([name]) => splitOfName(name) !== undefined);
  const list = named.map(([name]) => name).join(', ');
  const warn = (reason: string): NewProblem[] => [{ path: prefix, kind: 'layout-doubt', severity: 'warning', reason }];
  if (named.length > 0 && named.length === branches.size) {
    return warn(
      `${list}: named like splits, but pictures lie directly inside, so they were taken as classes. ` +
        'If they are splits, put class folders into them.',
    );
  }
  if (named.some(([, branch]) => branch.nested > 0)) {
    return warn(
      `${list}: named like splits, but other folders lie beside them, so all were taken as classes. ` +
        'If they are splits, import with layout "split-class".',
    );
  }
  return [];
}
