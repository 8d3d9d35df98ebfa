/** What the shell remembers between starts: the window's place, recent projects, the last folder of a dialog. */
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { z } from 'zod/mini';

const Bounds = z.object({ x: z.int(), y: z.int(), width: z.int(), height: z.int() });
export type Bounds = z.infer<typeof Bounds>;

const Stored = z.object({
  bounds: z.catch(z.nullable(Bounds), null),
  maximized: z.catch(z.boolean(), false),
  fullScreen: z.catch(z.boolean(), false),
  recent: z.catch(z.array(z.object({ file: z.string(), name: z.string() })), []),
  lastFolder: z.catch(z.nullable(z.string()), null),
});
export type Stored = z.infer<typeof Stored>;

export class ShellMemory {
  readonly #file: string;
  #value: Stored;

  /** @param file is read now; what is missing or makes no sense counts as never set */
  constructor(file: string) {
    this.#file = file;
    this.#value = Stored.parse(readObject(file));
  }

  get value(): Readonly<Stored> {
    return this.#value;
  }

  /** Remember. A disk that refuses costs the memory only. @returns whether it was written */
  update(change: Partial<Stored>): boolean {
    this.#value = { ...this.#value, ...change };
    const temporary = `${this.#file}.${process.pid}`;
    try {
      writeFileSync(temporary, `${JSON.stringify(this.#value, null, 2)}\n`);
      renameSync(temporary, this.#file);
      return true;
    } catch {
      return false;
    }
  }
}

function readObject(file: string): object {
  try {
    const value: unknown = JSON.parse(readFileSync(file, 'utf8'));
    return typeof value === 'object' && value !== null ? value : {};
  } catch {
    return {};
  }
}
