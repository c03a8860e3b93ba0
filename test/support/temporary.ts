import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';

const PREFIX = 'qdiff-tests-';

/** All temporary folders of a test run lie in one, which goes with it. Each project asks: a browser's socket has 108 letters for its path. */
export default function setup(): (() => void) | undefined {
  if (basename(tmpdir()).startsWith(PREFIX)) return undefined;
  const folder = mkdtempSync(join(tmpdir(), PREFIX));
  for (const name of ['TMPDIR', 'TEMP', 'TMP']) process.env[name] = folder; // what Node and Python read, on any system
  return () => rmSync(folder, { recursive: true, force: true });
}
