/** Files, handed in from outside (io.ts). */

export interface RandomAccessFile {
  readonly size: number;
  /** Fills target from position; returns the bytes read, fewer only at the end of the file. */
  read(target: Uint8Array, position: number): Promise<number>;
  close(): Promise<void>;
}

/** Errors are Node's (code ENOENT, EACCES, EISDIR ...); `validate` and `open` turn them into problems. */
export interface FileSystem {
  open(path: string): Promise<RandomAccessFile>;
  /** Symbolic links resolved; to check that a path stays inside a folder. */
  realPath(path: string): Promise<string>;
  isDirectory(path: string): Promise<boolean>;
  /** Neither a folder nor a device, pipe or socket, which may block or never end. */
  isFile(path: string): Promise<boolean>;
  /** Names of the entries, sorted. */
  list(path: string): Promise<string[]>;
}
