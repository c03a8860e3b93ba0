import type { Io } from '../nouns/io.js';
import { InputError } from '../nouns/problem.js';
import { printable } from '../text.js';
import { unwritable } from './unwritable.js';

/** Makes a folder of files as a whole; what the operating system says becomes an InputError. */
export async function writeFolder(io: Io, flag: string, ...folder: Parameters<Io['writeFolder']>): Promise<void> {
  try {
    await io.writeFolder(...folder);
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code === undefined) throw error;
    const message =
      code === 'ENOTEMPTY'
        ? 'expected a new folder, got one with files; name another'
        : unwritable('a folder that can be made', code, 'check that the folder it is to lie in exists');
    throw new InputError([{ kind: 'unwritable', where: `${flag} ${printable(folder[0])}`, message }]);
  }
}
