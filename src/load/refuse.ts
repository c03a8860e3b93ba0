import { basename, dirname, extname, join } from 'node:path';
import type { FileSystem } from '../nouns/file.js';
import { InputError, type Problem } from '../nouns/problem.js';
import { nearest, printable } from '../text.js';

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
    for (const problem of error.problems) problems.push(problem); // as arguments 100,000 are too many
    return undefined;
  }
}

const NO_MORE_FILES = 'expected a file that can be opened; this process may not open more (ulimit -n)';

const FOUND_NOTHING = 'expected a file, found nothing';

const GOT_FOLDER = 'expected a file, got a folder';

const BY_ERRNO = new Map([
  ['ENOENT', `${FOUND_NOTHING}; check the path`],
  ['ENOTDIR', 'expected a file, found nothing (a part of the path is no folder); check the path'],
  ['EACCES', 'expected a readable file; there is no permission to read it'],
  ['EPERM', 'expected a readable file; there is no permission to read it'],
  ['EISDIR', GOT_FOLDER],
  ['EFTYPE', 'expected a file, got a pipe or a device; write what comes out of it to a file'],
  ['EMFILE', NO_MORE_FILES],
  ['ENFILE', NO_MORE_FILES],
]);

/** Whether no file could be opened, be it qdiff's own: nothing is wrong with either. */
export function isOutOfFiles(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'code' in error && BY_ERRNO.get(String(error.code)) === NO_MORE_FILES;
}

/** A path that is not there, with the name in its folder that is nearest to it; a folder, with the one model in it. */
export async function withNearestName(problem: Problem, argv: readonly string[], fs: FileSystem): Promise<Problem> {
  const path = argv.find((word) => printable(word) === problem.where);
  if (path !== undefined && problem.message === GOT_FOLDER) {
    const models = (await fs.list(path).catch(() => [])).filter((name) => MODEL_FILE.test(name));
    if (models.length !== 1) return problem;
    return { ...problem, message: `${GOT_FOLDER}; did you mean ${printable(join(path, models[0]))}?` };
  }
  if (path === undefined || problem.message !== BY_ERRNO.get('ENOENT')) return problem;
  const all = await fs.list(dirname(path)).catch((): string[] => []);
  if (all.includes(basename(path)))
    return { ...problem, message: `${FOUND_NOTHING} where this link leads; check the link` };
  const names = all.filter((name) => extname(name) === extname(path)).slice(0, MOST_NAMES);
  const near = nearest(
    stemOf(path),
    names.map((name) => stemOf(name)),
  );
  if (near === null) return problem;
  const found = join(dirname(path), near + extname(path));
  return { ...problem, message: `${FOUND_NOTHING}; did you mean ${printable(found)}?` };
}

const MODEL_FILE = /(?:^model\.json|\.onnx|\.tflite)$/;

const stemOf = (path: string) => basename(path, extname(path));

/** Of a folder, that a name is looked for among. */
const MOST_NAMES = 1000;

/** What the operating system said of a path, as a problem; errors of other kinds are thrown on. */
export function unreadable(path: string, error: unknown): InputError {
  const code = error instanceof Error && 'code' in error ? String(error.code) : null;
  if (code === null) throw error;
  // of a variable that is not set nothing would be seen
  return refuse('unreadable', printable(path) || '""', BY_ERRNO.get(code) ?? `cannot be read (${code})`);
}
