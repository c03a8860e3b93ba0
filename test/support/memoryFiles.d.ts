import type { FileSystem } from '../../src/types.js';
/** A file system of files by path, with symbolic links; errors carry Node's codes. */
export declare function memoryFiles(
  files: Readonly<Record<string, Uint8Array | string>>,
  links?: Readonly<Record<string, string>>,
): FileSystem & {
  readonly openCount: () => number;
};
