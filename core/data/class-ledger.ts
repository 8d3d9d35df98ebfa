/** Keeps count of classes and folders during an import and says at the end what is odd about them. */
import type { NewProblem, Split } from '../storage/records.ts';

/** Classes with fewer training pictures than this are listed. */
export const FEW_IMAGES = 5;

interface ClassCount {
  /** Pictures for training: of the train split, or of none. */
  train: number;
  total: number;
  /** Names as they are on disk. */
  spellings: Set<string>;
}

export class ClassLedger {
  readonly #classes = new Map<string, ClassCount>();
  /** Usable pictures in each folder and below it. */
  readonly #folders = new Map<string, number>();

  addFolder(path: string): void {
    if (!this.#folders.has(path)) this.#folders.set(path, 0);
  }

  addImage(path: string, className: string, split: Split | null, spelling: string): void {
    const record = this.#classes.get(className) ?? { train: 0, total: 0, spellings: new Set() };
    this.#classes.set(className, record);
    record.total += 1;
    if (split === 'train' || split === null) record.train += 1;
    record.spellings.add(spelling);
    for (let slash = path.lastIndexOf('/'); slash > 0; slash = path.lastIndexOf('/', slash - 1)) {
      const folder = path.slice(0, slash);
      this.#folders.set(folder, (this.#folders.get(folder) ?? 0) + 1);
    }
  }

  get classes(): number {
    return this.#classes.size;
  }

  /** What a person should look at, in a stable order. `path` is the folder or the name of the class. */
  problems(): NewProblem[] {
    return [
      ...this.#emptyFolders(),
      ...this.#smallClasses(),
      ...this.#spellings(),
      ...this.#caseTwins(),
      ...this.#nested(),
    ];
  }

  /** The topmost folders without a usable picture. */
  #emptyFolders(): NewProblem[] {
    return [...this.#folders]
      .filter(([folder, count]) => count === 0 && this.#folders.get(parentOf(folder)) !== 0)
      .map(([path]) => ({
        path,
        kind: 'empty-class',
        severity: 'warning',
        reason: 'The folder holds no usable picture and makes no class.',
      }));
  }

  #smallClasses(): NewProblem[] {
    return this.#sorted()
      .filter(([, { train }]) => train < FEW_IMAGES)
      .map(([path, { train }]) =>
        train === 0
          ? {
              path,
              kind: 'no-training-images',
              severity: 'warning',
              reason: 'The class has no training picture; it can be tested but not learned.',
            }
          : {
              path,
              kind: 'few-images',
              severity: 'warning',
              reason: `The class has only ${train} training picture${train === 1 ? '' : 's'}. Add some, or merge the class.`,
            },
      );
  }

  #spellings(): NewProblem[] {
    return this.#sorted()
      .filter(([, { spellings }]) => spellings.size > 1)
      .map(([path]) => ({
        path,
        kind: 'unicode-name',
        severity: 'note',
        reason: 'Several folders have this name in different Unicode forms. They are one class.',
      }));
  }

  #caseTwins(): NewProblem[] {
    const groups = Map.groupBy(this.#sorted(), ([name]) => name.toLowerCase());
    return [...groups.values()]
      .filter((group) => group.length > 1)
      .map((group) => ({
        path: group[0][0],
        kind: 'case-twins',
        severity: 'warning',
        reason: `${group.map(([name]) => `"${name}"`).join(' and ')} differ only by case and are kept apart. Merge them if they are one class.`,
      }));
  }

  #nested(): NewProblem[] {
    const nested = this.#sorted().filter(([name]) => name.includes('/'));
    if (nested.length === 0) return [];
    const reason = `${nested.length} classes lie in nested folders and are named by their path, such as "${nested[0][0]}". Merge those that are one class.`;
    return [{ path: '', kind: 'nested-classes', severity: 'note', reason }];
  }

  #sorted(): [string, ClassCount][] {
    return [...this.#classes].toSorted(([a], [b]) => (a < b ? -1 : 1));
  }
}

const parentOf = (path: string): string => path.slice(0, Math.max(0, path.lastIndexOf('/')));
