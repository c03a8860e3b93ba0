import type { Setup } from '../setup.js';
import type { Outputs, Scope } from './data.js';

/** How a kind of form is computed under a setup, and what is kept between two that share a part. */
export interface Engine<S extends Setup = Setup> {
  /** A scope's rows depend on each other: they are computed together. */
  readonly wholeScopes: boolean;
  outputs(setup: S, scope: Scope): Outputs;
  /** Whether a setup computes a scope's observed values; may leave at the first `rows` rows in which one differs. */
  agrees(setup: S, scope: Scope, rows: number): boolean;
  /** Drops what is kept for a scope. */
  forget(scope: Scope): void;
}
