/** How a layer that quantizes what it reads gets from values to a scale and a zero point. */
import type { QuantParams } from './value.js';

/** What a dynamic layer spreads its range over: 0..127 or 0..255, as its reduce_range asks or whatever it says; or -127..127 around 0. */
export type CodeRange = 'asked' | '7 bits' | '8 bits' | 'symmetric';

/** Scale and zero point of a range that is spread over 0..levels. */
export interface ChooseStep {
  readonly name: string;
  /** One line of arithmetic. */
  readonly equation: string;
  readonly precision: 'float32' | 'float64';
  /** For int8 codes. */
  readonly signed?: true;
  /** Its zero point is the middle code, whatever the range. */
  readonly symmetric?: true;
  choose(min: number, max: number, levels: number): QuantParams;
}

/**
 * What has a range of its own: everything that one call reads, or each row of it. Scripts take that of each sample, of each step of all
 * samples of a call, of all calls, of the first, of the one before, or of all so far.
 */
export type RangeGrain = 'batch' | 'row' | 'sample' | 'step' | 'all' | 'first' | 'previous' | 'running';

/** Another way from a range to a scale and a zero point. */
export interface RangeFormula {
  readonly name: string;
  choose(min: number, max: number, levels: number, own: ChooseStep): QuantParams;
}
