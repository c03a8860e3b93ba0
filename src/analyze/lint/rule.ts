import type { Severity } from '../../documents/lint.js';
import type { LintCode, LintEvidence, LintFacts } from './evidence.js';
import type { Subject } from './subject.js';

/** A finding as data; the words are in `words.ts`. */
export type Found<C extends LintCode> = C extends keyof LintFacts
  ? Weighed<C> & { readonly facts: LintFacts[C] }
  : Weighed<C>;

interface Weighed<C extends LintCode> {
  readonly severity: Severity;
  /** Kernels that it concerns. */
  readonly kernels: readonly string[];
  readonly evidence: LintEvidence[C];
}

/** Says one code, of each channel or of the layer as a whole. */
export interface Rule<C extends LintCode = LintCode> {
  readonly code: C;
  ofChannel?(subject: Subject, channel: number): Found<C>[];
  ofLayer?(subject: Subject): Found<C>[];
}
