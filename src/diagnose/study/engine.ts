import type { Setup } from '../setup.js';
import type { Outputs, Scope } from './data.js';

/** How a kind of form is computed under a setup, and what is kept between two that share a part. */
export interface Engine<S extends Setup = Setup> {
  /** A scope's rows depend on each other: they are computed together. */
  readonly wholeScopes: boolean;
  outputs(setup: S, scope: Scope): Outputs;
  /** The first value of a scope that a setup does not compute as observed, -1: none; `rows` rows are computed at a time. */
  firstMiss(setup: S, scope: Scope, rows: number): number;
  /** Whether a setup gives every value of a scope, where that is known by less than all that it computes; null: it is not. */
  agrees?(setup: S, scope: Scope): boolean | null;
  /** 1 where a scope's values are not as observed, where that is known without all that is computed; null: it is not. */
  differences?(setup: S, scope: Scope): Uint8Array | null;
  /** Whether what a setup gives in a row follows from what that row reads alone. */
  readsRowsAlone?(setup: S): boolean;
  /** Whether two setups differ in the steps after their sums only. */
  sameSums?(a: S, b: S): boolean;
  /** False: no steps like these can give what was observed, whatever their numbers. */
  mayFollow?(setup: S, scope: Scope, atOnce: boolean): boolean;
  /** Whether sums were met from which it may follow; not known of a kind without sums. */
  readonly hasMetSums?: boolean;
  /** Drops what is kept for a scope. */
  forget(scope: Scope): void;
}
