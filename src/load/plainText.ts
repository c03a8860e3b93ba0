/** A file of numbers as text, as a simulation, a script or a shell wrote it. */
import type { FileSystem } from '../nouns/file.js';
import { printable } from '../text.js';
import { openFile, readFully } from './bytes.js';
import { refuse } from './refuse.js';

/** Longer text is no string in V8. */
export const MAX_FILE_BYTES = 2 ** 29 - 24;

/** A byte a character. PowerShell's `>` writes UTF-16, editors a mark before UTF-8. Throws InputError. */
export async function plainText(fs: FileSystem, path: string): Promise<string> {
  const where = printable(path);
  const file = await openFile(fs, path);
  try {
    if (file.size > MAX_FILE_BYTES)
      throw refuse('too-large', where, `expected at most ${MAX_FILE_BYTES} bytes, got ${file.size}`);
    const bytes = Buffer.alloc(file.size);
    await readFully(file, bytes, 0, where);
    const text = bytes.toString('latin1');
    if (/^(?:\xff\xfe|\xfe\xff)/.test(text))
      throw refuse(
        'text',
        where,
        'expected ASCII or UTF-8, got UTF-16; save it as ASCII (PowerShell: | Out-File -Encoding ascii)',
      );
    return text.replace(/^\xef\xbb\xbf/, '');
  } finally {
    await file.close();
  }
}
