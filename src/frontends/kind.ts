import { openFile } from '../load/bytes.js';
import type { FileSystem } from '../nouns/file.js';
import { type FrontEnd, frontEnds, hasControl } from './registry.js';

/** What a model file is. */
export type ModelKind = 'json' | FrontEnd['kind'];

const HEAD_BYTES = 64;

/** Told by the first bytes; by the name only where they do not tell (a file that is cut short). Throws InputError. */
export async function kindOf(fs: FileSystem, path: string): Promise<ModelKind> {
  const file = await openFile(fs, path);
  try {
    const head = new Uint8Array(HEAD_BYTES);
    return byContent(head.subarray(0, await file.read(head, 0))) ?? byName(path);
  } finally {
    await file.close();
  }
}

function byContent(head: Uint8Array): ModelKind | null {
  const found = frontEnds.find((frontEnd) => frontEnd.recognizes(head));
  return found?.kind ?? (isJson(head) ? 'json' : null);
}

/** A zip file too: reading it as JSON says what it is. */
function isJson(head: Uint8Array): boolean {
  const latin1 = Buffer.from(head).toString('latin1');
  if (latin1.startsWith('PK')) return true;
  return !hasControl(head) && /^[{["]/.test(latin1.replace(/^\xef\xbb\xbf/, '').trimStart());
}

function byName(path: string): ModelKind {
  const name = path.toLowerCase();
  return frontEnds.find(({ extension }) => name.endsWith(extension))?.kind ?? 'json';
}
