/** What to do where the disk is full: its folder is there, and may be written to. */
const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/** What was expected of the file system, and what to look at. */
export function unwritable(expected: string, code: string, check: string): string {
  return `expected ${expected}, got ${code}; ${FULL.has(code) ? 'make room on its disk, or name another place' : check}`;
}
