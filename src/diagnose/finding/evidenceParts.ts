/** What records of evidence have in common. */
import type { NotFinite } from '../../diff/notFinite.js';
import type { FormulaName } from '../../kernels/steps/rangeFormulas.js';
import type { RangeGrain } from '../../nouns/chosenRange.js';

/** Where a value is: sample is the row in the capture (never in a subset), channel the column. */
export interface At {
  readonly sample: number;
  readonly channel: number;
}

/** Two neighbours on the K axis, raw codes (no zero point subtracted). The same form as in the explain document. */
export interface SaturatingPair {
  readonly k: readonly [number, number];
  readonly x: readonly [number, number];
  readonly w: readonly [number, number];
  /** x0 * w0 + x1 * w1. */
  readonly sum: number;
  /** sum clamped to int16. */
  readonly saturated: number;
  /** Of a convolution: where each of the k lies. */
  readonly cells?: readonly CellOfPatch[];
}

/** One cell of a convolution's patch. */
export interface CellOfPatch {
  /** [ky, kx, c]; c counts the channels of the group. */
  readonly tap: readonly number[];
  /** [y, x] of the input; null: padding. */
  readonly pixel: readonly number[] | null;
}

/** One value that tells the declared step from the one found. */
export interface DecidingValue extends At {
  /** Output code under the declared kernel. */
  readonly declared: number;
  /** Output code of the judged side; the hypothesis gives the same. */
  readonly observed: number;
  /** In steps, before rounding and before the zero point, as the declared kernel computes it. */
  readonly before_rounding?: number;
  /** The same as the hypothesis computes it, where it differs. */
  readonly before_rounding_found?: number;
  /** It is a tie, of which the declared kernel takes the even neighbour. */
  readonly to_even?: true;
  /** Zero point of the output, in both codes. */
  readonly zero_point?: number;
}

/** A parameter that is another than the file says: estimated from the data, then verified by replay. */
export interface FoundParameter {
  readonly declared: number;
  readonly found: number;
  /** Every value in here explains the data as well. */
  readonly interval?: readonly [number, number];
  /** Absent: the whole layer's. */
  readonly channel?: number;
  /** The layer whose number this one shares (its output scale is the next layer's input scale). */
  readonly same_as?: string;
  /** What the file has for the layer's input. */
  readonly of_input?: true;
}

/** Channel (or sample) n uses what is declared for permutation[n]. */
export interface Permutation {
  readonly permutation?: readonly number[];
  /** Set if the permutation is a rotation: n uses what is declared for (n + shift) mod count. */
  readonly shift?: number;
}

/** A value of floats, and its places that hold no number. */
export interface NotFiniteValue extends NotFinite {
  readonly value: string;
  readonly of: 'output' | 'input';
}

export interface QuantizedRange {
  readonly codes: readonly [lo: number, hi: number];
  readonly grain: RangeGrain;
  /** Of the scale and zero point, where it is another than the declared kernel's. */
  readonly formula?: FormulaName;
}

export interface ChosenParams {
  readonly scale: number;
  readonly zero_point: number;
}

interface ChannelRegion {
  readonly channels: readonly number[];
  readonly of: number;
}

interface SampleRegion {
  readonly first: At;
  readonly last: At;
}

interface PlaceRegion {
  /** Places of each image outside of these, [from, to) an axis of so many; outermost first. */
  readonly outside: readonly (readonly [from: number, to: number])[];
  readonly of: readonly number[];
}

/** In every record: the channels the cause acts on, where it is not all that differ. */
export interface SomeChannels {
  readonly channels?: readonly number[];
  /** It took place in this part of the layer only: channels, samples from the first to the last, or the edges of each image. */
  readonly region?: ChannelRegion | SampleRegion | PlaceRegion;
  /** Beside other causes: differing values that this one is needed for. */
  readonly values?: number;
}

/** What a layer reads in place of what the file says. */
export interface OtherOperand {
  /** Which of its inputs, counted from 0. */
  readonly inputs?: readonly number[];
  /** The values' names: those of the file, and those that are read. */
  readonly declared?: readonly string[];
  readonly found?: readonly string[];
  /** Codes of the found ones, with the scales and zero points of the declared ones. */
  readonly codes?: true;
  /** The input counts as real 0. */
  readonly left_out?: true;
  /** For each sample the first one's, or that of the one before. */
  readonly samples?: 'first' | 'before';
}

/** Along which axes a layer takes an input, in place of those of the file. */
export interface OtherAxes {
  readonly inputs?: readonly number[];
  readonly declared?: string;
  readonly found?: string;
  /** Axis i of what is found is the input's axis order[i]. */
  readonly order?: readonly number[];
  /** Its memory is read as if it had the found shape. */
  readonly memory?: true;
}

interface FormulaStep {
  /** The name of the step, and one line of arithmetic. */
  readonly step: string;
  readonly equation: string;
}

/** What a side does from codes to codes, with the numbers of one channel. */
export interface Formula {
  readonly channel: number;
  readonly sums: FormulaStep;
  /** Null: the layer has none. */
  /** behind: it is added to the sum when that is scaled. */
  readonly bias: (FormulaStep & { readonly rounded: boolean; readonly behind?: true }) | null;
  readonly multiplier: FormulaStep & {
    readonly arithmetic: string;
    /** sx * sw / sy. */
    readonly value: number;
    /** Where it is an int32: value = int32 * 2^(shift - 31), and how it is rounded after. */
    readonly int32?: number;
    readonly shift?: number;
    readonly rounding?: string;
    /** Each channel has its own int32, and one line takes the shifts of all. */
    readonly by_channel?: true;
    /** All channels have this int32. */
    readonly in_all?: true;
    /** A float multiplier gives the same. */
    readonly or_float?: true;
    /** Another multiplier or rounding gives the same: that it is not the other side's is all that is known. */
    readonly or_other?: true;
    /** Where it is k * 2^-n with a k of few bits. */
    readonly short?: { readonly k: number; readonly n: number };
  };
  /** Null: the multiplier has rounded already. */
  readonly rounding: FormulaStep | null;
  /** Added before or after rounding; null: it is 0. */
  readonly zero_point: 'before' | 'after' | null;
}

/** What the judged side is found to do, and what it was declared to do. */
export interface Formulas {
  readonly found: Formula;
  readonly declared: Formula;
  /** Of a candidate: what the other side is found to do, where that is not what is declared. */
  readonly met?: Formula;
  /** The causes that these formulas tell. */
  readonly tells: readonly string[];
}

export interface RoundingEvidence extends SomeChannels {
  /** Where ties go, by a rule of HLS types (AP_RND_MIN_INF, AP_RND_ZERO) that no kernel has. */
  readonly ties_go?: 'down' | 'towards zero';
  readonly deciding?: DecidingValue;
  /** 0.5 was added before the fraction was cut off. */
  readonly half_added?: true;
  /** 0.5 was added, or taken off what is negative, before it was rounded down. */
  readonly half_taken?: true;
  /** The judged side rounds ties to even, and the reference otherwise. */
  readonly to_even?: true;
  /** Not cut off, as the reference does. */
  readonly to_nearest?: true;
  /** And the zero point before that. */
  readonly zero_point_added?: true;
  /** How many values of the layer are exact ties before rounding. */
  readonly ties?: number;
}

/** Differing values that were looked at: with a tap on padding, and without. */
export interface Borders {
  readonly border_values?: number;
  readonly inside_values?: number;
}

/** One number an axis, outermost first. */
export interface OtherSteps {
  readonly declared?: readonly number[];
  readonly found?: readonly number[];
  /** Where it is another too: [before, after] an axis. */
  readonly padding?: readonly (readonly [number, number])[];
}

export interface RuntimeForm {
  readonly declared?: string;
  readonly found?: string;
}

export interface AnotherRule {
  readonly rule?: string;
  readonly deciding?: DecidingValue;
}

/** The first that differ, and how many do. */
export interface TableEntries extends Pick<AnotherRule, 'deciding'> {
  readonly entries?: readonly Readonly<Record<'code' | 'declared' | 'found', number>>[];
  readonly differing?: number;
}
