/** Other programs and the files that they leave, handed in from outside (processes.ts). */

/** A program that has ended. */
export interface Ended {
  /** Its exit code; null where a signal ended it. */
  readonly status: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

interface Scratch {
  readonly folder: string;
  /** What is in it goes as soon as nobody needs its names any more. */
  remove(): void;
}

export interface Processes {
  /** The Node that runs this. */
  readonly node: string;
  /** Where Node finds a package that is not part of qdiff but lies beside it; null where none does. */
  beside(name: string): string | null;
  /** Starts a program, by no shell, and waits for it. Null: there is no such program. */
  run(program: string, args: readonly string[], env?: Readonly<Record<string, string>>): Promise<Ended | null>;
  /** A folder that is gone when the work ends, or when Ctrl-C or another signal ends this process and what it started. */
  inScratch<T>(work: (scratch: Scratch) => Promise<T>): Promise<T>;
  /** Puts a file in another's place as a whole, also on another disk; makes its folder. */
  move(from: string, to: string): Promise<void>;
}
