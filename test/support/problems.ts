import { InputError } from '../../src/nouns/problem.js';

/** The lines of the InputError that a promise rejects with; any other outcome fails the test. */
export async function problemsOf(promise: Promise<unknown>): Promise<string[]> {
  try {
    await promise;
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    return error.problems.map(({ where, message }) => `${where}: ${message}`);
  }
  throw new Error('expected an InputError, got none');
}
