/**
 * Where a command line runs: in a process of its own, or inside the service that has its project open, for a command line
 * that was given elsewhere. Commands know the world through this alone.
 */
export interface Output {
  /** Nothing happens once nobody reads any more. */
  write(text: string): unknown;
  /** Width of the terminal, in characters; undefined where there is none. */
  readonly columns?: number | undefined;
}

/** Where progress goes. */
export interface ProgressOutput extends Output {
  readonly isTTY?: boolean | undefined;
}

/** What stands on stdin. */
export interface Input {
  /** All of it, to its end; the same text each time. */
  read(): Promise<string>;
  /** What has been read; null before. */
  readonly text: string | null;
}

/** What happens to the process as a whole. */
export interface ProcessListener {
  /** A person asks to stop for the first time. */
  interrupted: () => void;
  /** Something was thrown where nobody catches it. The process ends after this. */
  stray: (error: unknown) => void;
}

export interface Host {
  /** The arguments after the program's name. */
  readonly argv: readonly string[];
  /** Absolute; what the arguments call by a relative path lies below it. */
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: ProgressOutput;
  /** Whether stderr may be coloured. */
  readonly colour: boolean;
  /** Whether to show stacks. */
  readonly debug: boolean;
  /** Aborted when the command is to stop. */
  readonly signal: AbortSignal;
  /** What the command ends with; the last one counts. */
  exitCode: number;
  /** Be told what happens to the process, where it is the command's own. */
  listen?(listener: ProcessListener): void;
}
