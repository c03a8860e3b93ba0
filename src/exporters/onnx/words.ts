import { InputError } from '../../nouns/problem.js';

/** The model or its inputs cannot be run; the message says which and what to do. */
export function refused(message: string): InputError {
  return new InputError([{ kind: 'capture', where: '', message }]);
}
