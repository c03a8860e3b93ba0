/** What ops on whole values read from a file, for the kernels' steps of the same op. */
import type { Window } from './window.js';

export interface PoolAttributes {
  readonly window: Window;
}

export interface AveragePoolAttributes extends PoolAttributes {
  /** Padding takes part in the divisor. */
  readonly countIncludePad: boolean;
  /** In place of how many values a window has. */
  readonly divisor: number | null;
}

export interface AdaptivePoolAttributes {
  /** Places of the output, an axis each; null: as many as the input has. */
  readonly size: readonly (number | null)[];
}

type ResampleMode = 'nearest' | 'nearest-exact' | 'linear' | 'bilinear' | 'bicubic' | 'trilinear' | 'area';

export interface ResampleAttributes {
  readonly mode: ResampleMode;
  readonly alignCorners: boolean;
  /** Places of the output, an axis each; one of the two is null. */
  readonly size: readonly number[] | null;
  readonly scaleFactor: readonly number[] | null;
  /** The step between places is a quotient of the two sizes although a factor is given. */
  readonly recomputed: boolean;
  /** TFLite's: places are counted from their middle. */
  readonly halfPixelCenters?: boolean;
  /** A hypothesis: places are multiples of the step, not centres of pixels. */
  readonly asymmetric?: boolean;
  /** A hypothesis: weights of neighbours as integers, k / 2^bits. */
  readonly shares?: Shares;
}

export interface Shares {
  readonly bits: number;
  readonly cut: 'to nearest' | 'down';
}

/** One a channel (of layer_norm one a value); null: 1 and 0. */
export interface AffineAttributes {
  readonly weight: Float32Array | null;
  readonly bias: Float32Array | null;
  readonly eps: number;
}

export interface BatchNormAttributes extends AffineAttributes {
  readonly mean: Float32Array;
  readonly variance: Float32Array;
}

export interface LayerNormAttributes extends AffineAttributes {
  /** The last axes of a sample that are normalized together. */
  readonly dims: readonly number[];
}

export interface GroupNormAttributes extends AffineAttributes {
  /** null: each channel by itself. */
  readonly groups: number | null;
}

/** Axes as the file gives them: the samples' is 0, and they are counted from the end where they are negative. */
export interface ReduceAttributes {
  readonly dim: readonly number[];
}

export interface SpreadAttributes extends ReduceAttributes {
  readonly correction: number;
}

export interface AxisAttributes {
  readonly dim: number;
}

export interface ScalarAttributes {
  readonly other: number;
}

export interface SlopeAttributes {
  readonly negativeSlope: number;
}

export interface EluAttributes {
  readonly alpha: number;
  readonly scale: number;
  readonly inputScale: number;
}

/** max(0, min(1, slope * x + offset)): of hardsigmoid, whose fields are alpha and beta. */
export interface GateAttributes {
  readonly slope: number;
  readonly offset: number;
}

export interface GeluAttributes {
  readonly approximate: 'none' | 'tanh';
}

export interface ThresholdAttributes {
  readonly threshold: number;
  readonly value: number;
}

/** TFLite's: int16 operands of scales that are powers of two may be shifted only. */
export interface AddAttributes {
  readonly potScaleInt16: boolean;
}

/** TFLite's factor of the exponents; 1 elsewhere. */
export interface BetaAttributes extends AxisAttributes {
  readonly beta: number;
}

export interface CompareAttributes {
  readonly by: 'greater' | 'greater_equal' | 'less' | 'less_equal' | 'equal' | 'not_equal';
}

export interface MatmulAttributes {
  /** Whether an operand's last two axes change places first. */
  readonly adjX: boolean;
  readonly adjY: boolean;
  /** What a product of floats is multiplied by in the same kernel. */
  readonly alpha: number;
}

/** x * sigmoid(alpha * x). */
export interface SiluAttributes {
  readonly alpha: number;
}

export interface SoftplusAttributes {
  readonly beta: number;
  readonly threshold: number;
}

export interface AttentionAttributes {
  readonly scale: number;
  /** A query sees no key behind its own place. */
  readonly isCausal: boolean;
  /** A fourth input: added to the scores, or 1 where a query sees a key; what others make of it: 1 where it does not, or nothing. */
  readonly mask: 'added' | 'chosen' | 'hidden' | 'none';
}

/** A table of rows; scale: null of floats. */
export interface EmbeddingAttributes {
  readonly dtype: 'uint8' | 'int8' | 'uint16' | 'int16' | 'uint4' | 'float32';
  readonly size: number;
  readonly scale: ((row: number) => number) | null;
  readonly zeroPoint: (row: number) => number;
  /** A sample is one index. */
  readonly one?: boolean;
  /** Of bags. */
  readonly mode?: 'sum' | 'mean' | 'max';
}

/** weight: [out, in / groups, ...kernel]. */
/** What a float product's kernel does last, as ONNX Runtime fuses it. lower, upper: of clamp; alpha: of leaky_relu and hardsigmoid. */
export interface FusedFunction {
  readonly op: 'clamp' | 'sigmoid' | 'tanh' | 'leaky_relu' | 'hardsigmoid';
  readonly lower: number;
  readonly upper: number;
  readonly alpha: number;
  readonly beta: number;
}

export interface FloatProductAttributes {
  /** How many weights the form's table holds, [out, in / groups, ...kernel]. */
  readonly weights: number;
  readonly bias: Float32Array | null;
  readonly outFeatures: number;
  /** null: rows along the last axis. */
  readonly window: Window | null;
  readonly groups: number;
  readonly fused: FusedFunction | null;
}

/** The form's table holds codes, [out, blocks * blockSize], then a scale and then a zero point of each block. */
export interface BlocksAttributes {
  readonly inFeatures: number;
  readonly outFeatures: number;
  readonly blockSize: number;
  readonly bias: Float32Array | null;
}

/** Codes, or reals of scale 1; one or one a channel. */
export interface PreluAttributes {
  readonly weight: Int32Array | Float32Array;
  readonly scale: number;
  readonly zeroPoint: number;
}

/** Scales of what adds up to one gate's sums. */
export interface LstmGate {
  readonly inputScale: number;
  readonly recurrentScale: number;
  /** null: none of these weights. */
  readonly peepholeScale: number | null;
  readonly normScale: number | null;
  /** Of its sums where they are normalized; null: 2^-12. */
  readonly scale: number | null;
}

/** TFLite's LSTM on integers; its weights are arrays `GATE.input`, `.recurrent`, `.bias`, `.peephole`, `.norm`, `projection.weight`, `.bias`. */
export interface LstmAttributes {
  /** Sequences that the file's states are of; absent: as many as the calls have. */
  readonly batch?: number;
  readonly inputs: number;
  readonly cells: number;
  readonly outputs: number;
  /** [time, batch, inputs]; otherwise [batch, time, inputs]. */
  readonly timeMajor: boolean;
  /** null: no input gate, which is 1 less the forget gate. */
  readonly input: LstmGate | null;
  readonly forget: LstmGate;
  readonly cell: LstmGate;
  readonly output: LstmGate;
  readonly projectionScale: number | null;
  /** Of what is projected. */
  readonly hiddenScale: number;
  readonly hiddenZeroPoint: number;
  readonly stateScale: number;
  readonly stateZeroPoint: number;
  readonly cellScale: number;
  /** In real units; 0: none. */
  readonly cellClip: number;
  readonly projClip: number;
}

/**
 * An LSTM on floats that quantizes what each step reads (ONNX Runtime's DynamicQuantizeLSTM). Its arrays, of each direction one behind the
 * other: `weight` [inputs, 4 cells] and `recurrent` [cells, 4 cells] of the gates i, o, f, c, with `weight.scale` and `recurrent.scale`,
 * `weight.zero_point` and `recurrent.zero_point`, one each or one a column; `bias` [8 cells] and `peephole` [3 cells] where it has them.
 */
export interface DynamicLstmAttributes {
  readonly inputs: number;
  readonly cells: number;
  readonly directions: 1 | 2;
  /** The first direction, or the only one, begins at the last step. */
  readonly isReversed: boolean;
  /** All hidden states, or of each direction the last, or the cells behind it. */
  readonly gives: 'steps' | 'hidden' | 'cell';
  /** Samples are steps of one call's sequences; otherwise each has all of its own. */
  readonly timeMajor: boolean;
  /** Of the gates' sums, on both sides; null: none. */
  readonly clip: number | null;
  /** The forget gate is 1 less the input gate. */
  readonly inputForget: boolean;
}

/** Rows of tables that are added, and layer_norm of the sum; its arrays have the tables' names. */
export interface EmbedNormAttributes extends LayerNormAttributes {
  readonly features: number;
  /** Rows of the table of places. */
  readonly places: number;
  /** In the order of the sum; scale: null of floats. */
  readonly tables: readonly {
    readonly name: 'word' | 'place' | 'segment';
    readonly scale: number | null;
    readonly zeroPoint: number;
  }[];
}

/**
 * Attention whose queries, keys and values are products of codes (ONNX Runtime's QAttention); `weight` [inputs, 3 * heads * size],
 * queries first, `weight.scale`, `weight.zero_point`, one or one a column; `bias` [3 * heads * size].
 */
export interface QAttentionAttributes {
  readonly inputs: number;
  readonly heads: number;
  /** Of a head. */
  readonly size: number;
  /** A query sees no key behind its own place. */
  readonly isCausal: boolean;
  /** By what scores are multiplied. */
  readonly scale: number;
  /** What it reads besides: 1 for each place that may be seen, or as many ones as places may; what others make of it: 1 where one may not, or nothing. */
  readonly mask: 'places' | 'ones' | 'hidden' | 'none';
  /** Added to the score of a key that it hides. */
  readonly filter: number;
}

/** TFLite's SVDF on integers; its arrays are `feature`, `time` and `bias`. */
export interface SvdfAttributes {
  /** Rows that the file's state is of; absent: as many as the calls have. */
  readonly batch?: number;
  readonly inputs: number;
  /** Of a unit as many as the rank. */
  readonly filters: number;
  /** Steps that the state holds of each. */
  readonly memory: number;
  readonly rank: number;
  readonly hasBias: boolean;
  readonly featureScale: number;
  readonly timeScale: number;
  readonly stateDtype: 'int8' | 'int16';
  readonly stateScale: number;
  readonly stateZeroPoint: number;
}
