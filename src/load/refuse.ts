import { InputError, type Problem } from '../nouns/problem.js';
import { printable } from '../text.js';

/** One problem as an error to throw; `message` is `expected ..., got ...; what to do`. */
export function refuse(kind: string, where: string, message: string): InputError {
  return new InputError([{ kind, where, message }]);
}

/** Runs one check of many: the problems it throws are kept, so that the checks after it still run. */
export async function collecting<T>(problems: Problem[], check: () => Promise<T> | T): Promise<T | undefined> {
  try {
    return await check();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    problems.push(...error.problems);
    return undefined;
  }
}

const NO_MORE_FILES = 'expected a file that can be opened; this process may not open more (ulimit -n)';

const BY_ERRNO = new Map([
  ['ENOENT', 'expected a file, found nothing; check the path'],
  ['ENOTDIR', 'expected a file, found nothing (a part of the path is no folder); check the path'],
  ['EACCES', 'expected a readable file; there is no permission to read it'],
  ['EPERM', 'expected a readable file; there is no permission to read it'],
  ['EISDIR', 'expected a file, got a folder'],
  ['EFTYPE', 'expected a file, got a pipe or a device; write what comes out of it to a file'],
  ['EMFILE', NO_MORE_FILES],
  ['ENFILE', NO_MORE_FILES],
]);

/** Whether no file could be opened, be it qdiff's own: nothing is wrong with either. */
export function isOutOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && BY_ERRNO.get(String(error.code)) === NO_MORE_FILES;
}

/** What the operating system said of a path, as a problem; errors of other kinds are thrown on. */
export function unreadable(path: string, error: unknown): InputError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  if (code === null) throw error;
  return refuse('unreadable', printable(path), BY_ERRNO.get(code) ?? `cannot be read (${code})`);
}
