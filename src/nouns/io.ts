import type { FileSystem } from './file.js';
import type { Processes } from './processes.js';

/** A long text comes in pieces: of 16 million numbers one string took more than a gigabyte. */
export type FileContent = string | Uint8Array | readonly Uint8Array[];

export function piecesOf(content: FileContent): readonly (string | Uint8Array)[] {
  return typeof content === 'string' || content instanceof Uint8Array ? [content] : content;
}

/** Everything outside: files, streams, environment. Handed in, so that commands run in-process in tests. */
export interface Io {
  readonly fs: FileSystem;
  /** Replaces a file as a whole, or leaves it as it was; makes its folder. */
  readonly writeFile: (path: string, text: string) => Promise<void>;
  /** Makes a folder of files as a whole. An existing one that is not empty is only replaced where `replaces` agrees. */
  readonly writeFolder: (
    path: string,
    files: ReadonlyMap<string, FileContent>,
    replaces?: (names: readonly string[]) => boolean,
  ) => Promise<void>;
  readonly appendFile: (path: string, text: string) => Promise<void>;
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** A file of this package, by its path from the package's root. */
  readonly readAsset: (path: string) => Promise<string>;
  /** Loaded where another program is to be started. */
  readonly processes: () => Promise<Processes>;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly now: () => number;
}

export interface OutputStream {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  write(text: string): void;
}
