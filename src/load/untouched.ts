/** Whether a file of golden vectors is still as golden wrote it: what nobody wrote again is nobody's result. */
import { createHash } from 'node:crypto';
import { join } from 'node:path';
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { readFully } from './bytes.js';
import { field } from './json.js';

export type FileState = 'missing' | 'untouched' | 'written';

const CR = 0x0d;

/** By golden's manifest; a file that no sum is known of is somebody's. */
export async function stateOf(fs: FileSystem, folder: string, name: string, manifest: unknown): Promise<FileState> {
  const sum = sumOf(manifest, name);
  if (sum === null) return 'written';
  const path = join(folder, name);
  const file = await fs.open(path).catch(() => null);
  if (!file) return 'missing';
  try {
    const hash = createHash('sha256');
    const block = Buffer.alloc(1 << 20);
    for (let at = 0; at < file.size; at += block.length) {
      const part = block.subarray(0, Math.min(block.length, file.size - at));
      await readFully(file, part, at, printable(path));
      // a checkout may end the lines of text as Windows does
      hash.update(name.endsWith('.memh') && part.includes(CR) ? part.filter((byte) => byte !== CR) : part);
    }
    return hash.digest('hex') === sum ? 'untouched' : 'written';
  } finally {
    await file.close();
  }
}

function sumOf(manifest: unknown, name: string): string | null {
  const files = field(manifest, 'format') === 'qdiff-golden' ? field(manifest, 'files') : null;
  if (!Array.isArray(files)) return null;
  const sum = field(
    files.find((one) => field(one, 'name') === name),
    'sha256',
  );
  return typeof sum === 'string' ? sum : null;
}
