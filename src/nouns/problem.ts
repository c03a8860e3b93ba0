/** What is wrong with an input, for one line: `where: expected ..., got ...; what to do`. */
export interface Problem {
  /** Groups problems that say the same of many places; at most 20 lines of a kind are printed. */
  readonly kind: string;
  readonly where: string;
  readonly message: string;
}

export interface Warning {
  readonly code: string;
  readonly where: string;
  readonly message: string;
}

/** Input that cannot be used. Carries every problem found, not only the first. */
export class InputError extends Error {
  override readonly name = 'InputError';
  constructor(readonly problems: readonly Problem[]) {
    super(problems.map((p) => `${p.where}: ${p.message}`).join('\n'));
  }
}
