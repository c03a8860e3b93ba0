/** Text, dates, records or complex numbers: numpy reads them, and numbers beside them are none the worse for it. */
import type { ArraySource } from '../nouns/array.js';
import { InputError } from '../nouns/problem.js';

/** Of the problem that an array's header has. */
export const NO_NUMBERS = 'no-numbers';

/** In an array's place: whoever asks what it is or holds hears the problem. */
export class NoNumbers implements ArraySource {
  constructor(
    readonly key: string,
    readonly error: InputError,
  ) {}

  get dtype(): never {
    throw this.error;
  }

  get shape(): never {
    throw this.error;
  }

  async read(): Promise<never> {
    throw this.error;
  }
}

/** An array as it is opened. */
export async function arrayOrNoNumbers(key: string, open: () => Promise<ArraySource>): Promise<ArraySource> {
  try {
    return await open();
  } catch (error) {
    const isNone = error instanceof InputError && error.problems.every(({ kind }) => kind === NO_NUMBERS);
    if (isNone) return new NoNumbers(key, error);
    throw error;
  }
}

/** Throws where no array has any. */
export function needNumbers(arrays: ReadonlyMap<string, ArraySource>): void {
  const none = [...arrays.values()].filter((source) => source instanceof NoNumbers);
  if (none.length > 0 && none.length === arrays.size) throw new InputError(none.flatMap(({ error }) => error.problems));
}
