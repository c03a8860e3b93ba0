/** What the findings rest on, code by code. */
import type { Limit } from '../../nouns/library.js';
import type { WorstPair } from './pairs.js';
import type { Range } from './range.js';

/** Goes into the document as it is. */
export interface LintEvidence {
  'int16-saturation': {
    readonly pair: WorstPair;
    readonly pairs_that_can_saturate: number;
    readonly pairs: number;
    readonly saturated_values?: number;
    readonly codes_above_127?: number;
  };
  'int16-wrap': { readonly pair: WorstPair };
  'kernel-defect': { readonly since: string };
  'accumulator-overflows-int32': Reach;
  'accumulator-above-2^24': Reach;
  'multiplier-range': { readonly multiplier: number };
  'multiplier-at-least-1': { readonly multiplier: number };
  'bias-overflows-int32': BiasUnits;
  'bias-lost-in-float32': BiasUnits;
  'bias-rounding': BiasUnits & { readonly steps: number };
  /** How many channels have one. */
  'weight-zero-point': { readonly channels: number };
  'dead-channel': { readonly value: number };
  'constant-channel': { readonly value: number };
  'unused-range': { readonly used: [number, number]; readonly possible: [number, number] };
  'reduce-range-exceeded': { readonly quant_max: number; readonly largest: number };
}

export type LintCode = keyof LintEvidence;

/** What only the words need; not in the document. */
export interface LintFacts {
  /** null without a capture. */
  'int16-saturation': { readonly samples: number; readonly codes: Range; readonly isSafe: boolean } | null;
  'kernel-defect': { readonly what: string; readonly avoid: string };
  'multiplier-range': MultiplierLimit;
  'weight-zero-point': {
    readonly limit: Extract<Limit, `weight zero points${string}`>;
    readonly outFeatures: number;
    readonly first: { readonly channel: number; readonly zeroPoint: number };
  };
  'dead-channel': Constancy;
  'constant-channel': Constancy;
}

/** Accumulators, smallest and largest: what can come, and what came. */
interface Reach {
  readonly worst: [number, number];
  readonly observed?: [number, number];
}

interface BiasUnits {
  readonly bias: number;
  readonly accumulator_units: number;
}

/** Which limit a multiplier passes. */
export type MultiplierLimit =
  | { readonly limit: 'xnnpack' | 'fixed-point' }
  | { readonly limit: 'int32'; readonly exponent: number; readonly largest: number };

/** null: whatever the input; otherwise in so many captured samples. */
interface Constancy {
  readonly samples: number | null;
}
