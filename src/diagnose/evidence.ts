/**
 * The evidence of a diagnosis: data that a person can check by hand, one record a cause, keyed by its code.
 * It goes into the JSON report as it is (hence snake_case); `sentences.ts` is the only place that words it.
 * Everything optional is left out where it is not known; nothing here is ever null.
 *
 * "Judged side": the capture, or the candidate where `diagnosis.subject` is `candidate`.
 */
import type {
  AnotherRule,
  At,
  Borders,
  ChosenParams,
  DecidingValue,
  Formulas,
  FoundParameter,
  NotFiniteValue,
  OtherSteps,
  Permutation,
  QuantizedRange,
  RoundingEvidence,
  RuntimeForm,
  SaturatingPair,
  SomeChannels,
  TableEntries,
} from './evidenceParts.js';

export type * from './evidenceParts.js';

export interface CauseEvidence {
  'int16-saturation': SomeChannels & {
    /** FBGEMM's own kernel for this geometry, which saturates whatever the CPU. */
    readonly every_cpu?: 'depthwise' | 'direct';
    /** The judged side adds in full, where the declared kernel saturates. */
    readonly exact?: true;
    /** The first saturating pair of the first differing value that has one. */
    readonly pair?: At & SaturatingPair;
    /** Pairs that saturate, over all values of the layer, and all pairs there are. */
    readonly saturating_pairs?: number;
    readonly total_pairs?: number;
    /** Differing values with at least one saturating pair. */
    readonly mismatched_with_pair?: number;
    /** Codes of the layer's input above 127, as the kernel multiplies them; without any, no pair can saturate. */
    readonly activations_above_127?: number;
    /** What the kernel adds to each code first. */
    readonly code_shift?: number;
  };
  'bias-int32': SomeChannels & {
    /** How the judged side adds its bias. */
    readonly bias: 'int32' | 'float';
    /** |b - s_x * s_w * rint(b / (s_x * s_w))| / s_y, the largest, and its channel. */
    readonly max_rounding_error_steps?: number;
    readonly channel?: number;
    readonly deciding?: DecidingValue;
  };
  'multiplier-precision': SomeChannels & {
    /** Where the declared one is an int32: what the judged side multiplies by. */
    readonly instead_of?: 'fixed-point';
    readonly arithmetic?: 'float32' | 'float64';
    /** One line of arithmetic each, e.g. `f32(f32(sx * sw) / sy)`. */
    readonly declared?: string;
    readonly found?: string;
    readonly deciding?: DecidingValue;
  };
  'fixed-point-multiplier': SomeChannels & {
    readonly rounding?: 'single' | 'double' | 'double-up';
    /** Codes to codes: one line of arithmetic each. */
    readonly declared?: string;
    readonly found?: string;
    /** Of `channel`: value = acc * multiplier * 2^(shift - 31). */
    readonly multiplier?: number;
    readonly shift?: number;
    readonly channel?: number;
    readonly deciding?: DecidingValue;
  };
  /** Of a runtime's own form of an op, as a whole; one line of arithmetic each. */
  'table-entry': SomeChannels & RuntimeForm & TableEntries;
  'resample-grid': SomeChannels & RuntimeForm & AnotherRule;
  'kernel-defect': SomeChannels & RuntimeForm;
  'rounding-half-away': RoundingEvidence;
  'rounding-half-up': RoundingEvidence;
  'rounding-truncate': RoundingEvidence;
  'rounding-floor': RoundingEvidence;
  'zero-point-before-rounding': RoundingEvidence & {
    readonly zero_point?: number;
    /** What the judged side does. */
    readonly order?: 'before' | 'after';
    /** Every element as PyTorch's vectors, or as what is left of them. */
    readonly everywhere?: 'vectors' | 'one-by-one';
  };
  /** Which of the inputs, counted from 0, and what of them took no part. */
  'rescale-missing': SomeChannels & { readonly inputs?: readonly number[]; readonly left?: string } & AnotherRule;
  'pool-rounding': SomeChannels & AnotherRule;
  'pool-divisor': SomeChannels & AnotherRule;
  'relu-at-zero': SomeChannels & {
    readonly zero_point?: number;
    /** Values of the judged side in 0..zero_point - 1. */
    readonly between?: number;
    readonly deciding?: DecidingValue;
  };
  'capture-before-relu': SomeChannels & {
    readonly zero_point?: number;
    /** Values of the judged side below the zero point: after a ReLU there would be none. */
    readonly below_zero_point?: number;
  };
  'capture-after-relu': SomeChannels & {
    readonly zero_point?: number;
    /** Values of the judged side at the zero point, and how many of those the replay has below it. */
    readonly at_zero_point?: number;
    readonly replayed_below?: number;
  };
  'activation-range': SomeChannels & {
    /** The codes that a range is spread over, and what has a range of its own: a call of the runtime, or each of its rows. */
    readonly declared?: QuantizedRange;
    readonly found?: QuantizedRange;
    /** As the file says. */
    readonly reduce_range?: boolean;
    /** The first sample that differs by it, the range it belongs to, and what that makes of its input on both sides. */
    readonly sample?: number;
    readonly min?: number;
    readonly max?: number;
    readonly declared_params?: ChosenParams;
    readonly found_params?: ChosenParams;
  };
  'activation-zero-point-missing': SomeChannels & { readonly zero_point?: number };
  'weight-zero-point-missing': SomeChannels & {
    readonly zero_point?: number;
    /** Whose zero point is given, if they differ. */
    readonly channel?: number;
  };
  signedness: SomeChannels & {
    readonly of?: 'activation' | 'weight' | 'output';
    readonly declared?: 'uint8' | 'int8';
    readonly read_as?: 'uint8' | 'int8';
    /** 128: codes shifted by 128; 256: bytes read with the other sign. */
    readonly off_by?: 128 | 256;
  };
  'weight-transposed': SomeChannels & { readonly shape?: readonly [number, number] };
  /** The order, as a rule a person would write. */
  'k-order': SomeChannels & { readonly of?: 'weights' | 'input'; readonly order?: string };
  'padding-value': SomeChannels &
    Borders & {
      /** Codes; or a mode in place of the found one. */
      readonly declared?: number;
      readonly found?: number | 'reflect' | 'replicate' | 'circular';
    };
  'padding-place': SomeChannels &
    Borders & {
      /** [before, after] an axis, outermost first. */
      readonly declared?: readonly (readonly [number, number])[];
      readonly found?: readonly (readonly [number, number])[];
      /** In place of these: a row or column of the image that is never read; axis 0 is the outermost. */
      readonly not_read?: { readonly axis: number; readonly side: 'first' | 'last' };
    };
  'groups-wrong': SomeChannels & {
    readonly groups?: number;
    /** All groups read the channels of the first; or inputs or outputs go to the groups in turns. */
    readonly found?: 'first' | 'inputs in turns' | 'outputs in turns' | 'both in turns';
  };
  'dilation-wrong': SomeChannels & OtherSteps;
  'stride-wrong': SomeChannels & OtherSteps;
  'scale-per-tensor': SomeChannels & {
    readonly used?: number;
    readonly which?: 'max' | 'min' | 'mean' | 'channel';
    /** Whose declared scale `used` is. */
    readonly channel?: number;
  };
  'scale-shifted': SomeChannels & Permutation;
  /** Worst first; the rest is counted. */
  'weight-scale-wrong': SomeChannels & { readonly found?: readonly FoundParameter[]; readonly omitted?: number };
  'input-scale-wrong': SomeChannels & Partial<FoundParameter>;
  'output-scale-wrong': SomeChannels & Partial<FoundParameter>;
  'output-zero-point-wrong': SomeChannels & Partial<FoundParameter>;
  'bias-missing': SomeChannels & {
    /** Largest bias in steps of the output: how far its channel is off. */
    readonly max_bias_steps?: number;
    readonly channel?: number;
    /** Where the file has none: one estimated bias a channel, real units. */
    readonly found?: readonly FoundParameter[];
    readonly omitted?: number;
  };
  'bias-unscaled': SomeChannels & {
    readonly channel?: number;
    /** The bias as declared (real units), and in steps as it should act and as it does. */
    readonly bias?: number;
    readonly steps_declared?: number;
    readonly steps_found?: number;
  };
  'bias-shifted': SomeChannels & Permutation;
  'weight-value': SomeChannels & {
    /** Channels of which all weights were solved together: so many of them are others. */
    readonly whole?: readonly { readonly channel: number; readonly changed: number; readonly of: number }[];
    readonly whole_omitted?: number;
    readonly weights?: readonly {
      readonly channel: number;
      readonly k: number;
      readonly declared: number;
      readonly found: number;
      /** Of a convolution: [ky, kx, c]. */
      readonly tap?: readonly number[];
      /** Other single weights of the channel that explain it as well. */
      readonly alternatives?: readonly { readonly k: number; readonly found: number }[];
    }[];
    readonly omitted?: number;
  };
  'accumulator-wraps': SomeChannels & {
    readonly bits?: 16 | 24;
    readonly overflow?: 'wrap' | 'saturate';
    /** What overflows: the zero-point-corrected sum, or the sum of raw products. */
    readonly of?: 'sum' | 'raw';
    /** The bias is added in the same width. */
    readonly holds_bias?: true;
    /** Values whose exact accumulator leaves the width. */
    readonly overflowed?: number;
    readonly first?: At & { readonly exact: number; readonly overflowed: number };
  };
  'samples-misaligned': Permutation & { readonly moved?: number };
  'clamp-range': SomeChannels & {
    readonly declared?: readonly [number, number];
    readonly found?: readonly [number, number];
    /** They are the layer's own bounds, not those of its dtype. */
    readonly of?: 'bounds';
    /** Values that the found range clamps and the declared one does not, or the reverse. */
    readonly clamped?: number;
  };
  'constant-values': SomeChannels & {
    /** The one value, and what it is of the layer; or one a channel. */
    readonly value?: number;
    readonly is?: 'zero' | 'zero-point' | 'clamp';
    readonly each?: readonly number[];
  };
  'output-wraps': SomeChannels & {
    readonly dtype?: string;
    /** Values that leave the dtype's codes. */
    readonly wrapped?: number;
    readonly first?: At & { readonly unclamped: number; readonly stored: number };
  };
  'multiplier-short': SomeChannels & {
    /** Of `channel`, the worst: k * 2^-n in place of `multiplier`. */
    readonly k?: number;
    readonly n?: number;
    readonly channel?: number;
    readonly multiplier?: number;
    readonly relative_error?: number;
    /** Of k, and whether each channel has a shift of its own. */
    readonly bits?: number;
    readonly per_channel?: boolean;
  };
  'scale-rounded': SomeChannels & {
    readonly of?: readonly ('input' | 'weight' | 'output')[];
    readonly digits?: number;
    readonly kind?: 'decimals' | 'significant digits';
    /** The scale that it moves most. */
    readonly before?: number;
    readonly after?: number;
  };
  'bias-factor': SomeChannels & {
    readonly factor?: number;
    /** In terms of the layer's numbers. */
    readonly equals?: string;
    readonly interval?: readonly [number, number];
  };
  /** Worst first; the rest is counted. */
  'bias-value': SomeChannels & { readonly found?: readonly FoundParameter[]; readonly omitted?: number };
  'product-rounded': SomeChannels & {
    readonly bits?: number;
    readonly rule?: 'down' | 'half up' | 'towards zero';
    /** Accumulator units a product. */
    readonly mean_loss?: number;
  };
  'accumulator-float32': SomeChannels & {
    /** Sums beyond 2^24. */
    readonly beyond?: number;
    readonly first?: At & { readonly exact: number; readonly rounded: number };
  };
  'float-arithmetic': SomeChannels & {
    readonly ran?: 'float' | 'integers';
    /** The largest distance to the integer result. */
    readonly steps?: number;
    /** Values that the error bound of float32 leaves open, and all values looked at. */
    readonly within_bound?: number;
    readonly of?: number;
  };
  fma: SomeChannels & { readonly fused?: boolean; readonly deciding?: DecidingValue };
  inherited: SomeChannels & { readonly from?: string };
  unexplained: SomeChannels & {
    /** The hypothesis that leaves the fewest values. */
    readonly nearest?: {
      readonly causes: readonly string[];
      readonly kernel: string | null;
      readonly explained: number;
      readonly of: number;
      readonly lost: number;
    };
    /** The one value that all are, where the replay has several: nothing was tried. */
    readonly constant?: number;
    /** The values that hold NaN or infinity: nothing was tried. */
    readonly not_finite?: readonly NotFiniteValue[];
    /** About how many samples it would take to tell whether the weights of this channel are others. */
    readonly would_take?: { readonly channel: number; readonly samples: number };
    /** How many hypotheses were replayed or refuted. */
    readonly hypotheses?: number;
    /** The search ended before all were tried. */
    readonly out_of_time?: boolean;
  };
}

export type CauseCode = keyof CauseEvidence;

/** What a diagnosis as a whole rests on. */
export interface Basis {
  /** Samples compared in this layer. */
  readonly samples?: number;
  /** Pairs that leave int16 in this layer, where the capture could have come from a saturating kernel: 0 says that reduce_range will not help. */
  readonly saturating_pairs?: number;
  /** The layer that departs, where it is one before this one, whose values nobody has. */
  readonly in?: string;
  /** Of the causes of a wrong model file: those that are the capture's own steps. */
  readonly of_capture?: readonly string[];
  /** Where integer sums are requantized to codes. */
  readonly formula?: Formulas;
}

/** One record for each of `diagnosis.causes`, and the basis. */
export type Evidence = { readonly [C in CauseCode]?: CauseEvidence[C] } & { readonly basis?: Basis };
