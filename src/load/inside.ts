import { isAbsolute, relative, sep } from 'node:path';

/** Whether a path lies in a folder, however both are written; they are compared as text: follow links before. */
export function isInside(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way !== '' && way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}
