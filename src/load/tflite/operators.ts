/** The schema's builtin operators: names by code, and the options of those that qdiff knows. */

/** In the order of their codes. */
const NAMES =
  `ADD AVERAGE_POOL_2D CONCATENATION CONV_2D DEPTHWISE_CONV_2D DEPTH_TO_SPACE DEQUANTIZE EMBEDDING_LOOKUP FLOOR FULLY_CONNECTED
HASHTABLE_LOOKUP L2_NORMALIZATION L2_POOL_2D LOCAL_RESPONSE_NORMALIZATION LOGISTIC LSH_PROJECTION LSTM MAX_POOL_2D MUL RELU
RELU_N1_TO_1 RELU6 RESHAPE RESIZE_BILINEAR RNN SOFTMAX SPACE_TO_DEPTH SVDF TANH CONCAT_EMBEDDINGS SKIP_GRAM CALL CUSTOM
EMBEDDING_LOOKUP_SPARSE PAD UNIDIRECTIONAL_SEQUENCE_RNN GATHER BATCH_TO_SPACE_ND SPACE_TO_BATCH_ND TRANSPOSE MEAN SUB DIV SQUEEZE
UNIDIRECTIONAL_SEQUENCE_LSTM STRIDED_SLICE BIDIRECTIONAL_SEQUENCE_RNN EXP TOPK_V2 SPLIT LOG_SOFTMAX DELEGATE
BIDIRECTIONAL_SEQUENCE_LSTM CAST PRELU MAXIMUM ARG_MAX MINIMUM LESS NEG PADV2 GREATER GREATER_EQUAL LESS_EQUAL SELECT SLICE SIN
TRANSPOSE_CONV SPARSE_TO_DENSE TILE EXPAND_DIMS EQUAL NOT_EQUAL LOG SUM SQRT RSQRT SHAPE POW ARG_MIN FAKE_QUANT REDUCE_PROD
REDUCE_MAX PACK LOGICAL_OR ONE_HOT LOGICAL_AND LOGICAL_NOT UNPACK REDUCE_MIN FLOOR_DIV REDUCE_ANY SQUARE ZEROS_LIKE FILL FLOOR_MOD
RANGE RESIZE_NEAREST_NEIGHBOR LEAKY_RELU SQUARED_DIFFERENCE MIRROR_PAD ABS SPLIT_V UNIQUE CEIL REVERSE_V2 ADD_N GATHER_ND COS WHERE
RANK ELU REVERSE_SEQUENCE MATRIX_DIAG QUANTIZE MATRIX_SET_DIAG ROUND HARD_SWISH IF WHILE NON_MAX_SUPPRESSION_V4
NON_MAX_SUPPRESSION_V5 SCATTER_ND SELECT_V2 DENSIFY SEGMENT_SUM BATCH_MATMUL PLACEHOLDER_FOR_GREATER_OP_CODES CUMSUM CALL_ONCE
BROADCAST_TO RFFT2D CONV_3D IMAG REAL COMPLEX_ABS HASHTABLE HASHTABLE_FIND HASHTABLE_IMPORT HASHTABLE_SIZE REDUCE_ALL
CONV_3D_TRANSPOSE VAR_HANDLE READ_VARIABLE ASSIGN_VARIABLE BROADCAST_ARGS RANDOM_STANDARD_NORMAL BUCKETIZE RANDOM_UNIFORM
MULTINOMIAL GELU DYNAMIC_UPDATE_SLICE RELU_0_TO_1 UNSORTED_SEGMENT_PROD UNSORTED_SEGMENT_MAX UNSORTED_SEGMENT_SUM ATAN2
UNSORTED_SEGMENT_MIN SIGN BITCAST BITWISE_XOR RIGHT_SHIFT STABLEHLO_LOGISTIC STABLEHLO_ADD STABLEHLO_DIVIDE STABLEHLO_MULTIPLY
STABLEHLO_MAXIMUM STABLEHLO_RESHAPE STABLEHLO_CLAMP STABLEHLO_CONCATENATE STABLEHLO_BROADCAST_IN_DIM STABLEHLO_CONVOLUTION
STABLEHLO_SLICE STABLEHLO_CUSTOM_CALL STABLEHLO_REDUCE STABLEHLO_ABS STABLEHLO_AND STABLEHLO_COSINE STABLEHLO_EXPONENTIAL
STABLEHLO_FLOOR STABLEHLO_LOG STABLEHLO_MINIMUM STABLEHLO_NEGATE STABLEHLO_OR STABLEHLO_POWER STABLEHLO_REMAINDER STABLEHLO_RSQRT
STABLEHLO_SELECT STABLEHLO_SUBTRACT STABLEHLO_TANH STABLEHLO_SCATTER STABLEHLO_COMPARE STABLEHLO_CONVERT STABLEHLO_DYNAMIC_SLICE
STABLEHLO_DYNAMIC_UPDATE_SLICE STABLEHLO_PAD STABLEHLO_IOTA STABLEHLO_DOT_GENERAL STABLEHLO_REDUCE_WINDOW STABLEHLO_SORT
STABLEHLO_WHILE STABLEHLO_GATHER STABLEHLO_TRANSPOSE DILATE STABLEHLO_RNG_BIT_GENERATOR REDUCE_WINDOW STABLEHLO_COMPOSITE
STABLEHLO_SHIFT_LEFT STABLEHLO_CBRT STABLEHLO_CASE`.split(/\s+/);

/** `FULLY_CONNECTED`; null: no builtin operator's code. */
export function operatorName(code: number): string | null {
  return NAMES[code] ?? null;
}

export const MOST_CODE = NAMES.length - 1;

/** How an option is stored: i8 for enums. */
type Kind = 'i8' | 'i32' | 'flag' | 'f32' | 'text';
export interface OptionField {
  readonly id: number;
  readonly name: string;
  readonly kind: Kind;
  /** Where it is left out. */
  readonly missing: number;
}

export interface OptionsTable {
  /** In the union BuiltinOptions. */
  readonly type: number;
  readonly fields: readonly OptionField[];
}

/** `name:kind`, `name:kind=default`, by id. */
function options(type: number, ...fields: (string | null)[]): OptionsTable {
  return { type, fields: fields.flatMap((field, id) => (field === null ? [] : [optionField(id, field)])) };
}

function optionField(id: number, text: string): OptionField {
  const [, name, kind, missing = '0'] = /^(\w+):(\w+)(?:=(\w+))?$/.exec(text)!;
  return { id, name, kind: kind as Kind, missing: Number(missing) };
}

const ACTIVATION = 'activation:i8';
/** Width before height everywhere. */
const STRIDES = ['padding:i8', 'stride_w:i32', 'stride_h:i32'];
const DILATIONS = ['dilation_w:i32=1', 'dilation_h:i32=1'];
const POOL = options(5, ...STRIDES, 'filter_w:i32', 'filter_h:i32', ACTIVATION);
const REDUCER = options(27, 'keep_dims:flag');

/** Of operators that are missing here nothing is read. */
export const OPTIONS: ReadonlyMap<string, OptionsTable> = new Map([
  ['CONV_2D', options(1, ...STRIDES, ACTIVATION, ...DILATIONS)],
  ['DEPTHWISE_CONV_2D', options(2, ...STRIDES, 'depth_multiplier:i32', ACTIVATION, ...DILATIONS)],
  ['AVERAGE_POOL_2D', POOL],
  ['MAX_POOL_2D', POOL],
  [
    'FULLY_CONNECTED',
    options(8, ACTIVATION, 'weights_format:i8', 'keep_num_dims:flag', 'asymmetric_inputs:flag', 'bias_type:i8'),
  ],
  ['SOFTMAX', options(9, 'beta:f32')],
  ['CONCATENATION', options(10, 'axis:i32', ACTIVATION)],
  ['ADD', options(11, ACTIVATION, 'pot_scale_int16:flag=1')],
  ['RESIZE_BILINEAR', options(15, null, null, 'align_corners:flag', 'half_pixel_centers:flag')],
  ['CALL', options(16, 'subgraph:i32')],
  ['RESHAPE', options(17)],
  ['MUL', options(21, ACTIVATION)],
  ['SPACE_TO_DEPTH', options(19, 'block_size:i32')],
  ['GATHER', options(23, 'axis:i32', 'batch_dims:i32')],
  ['MIRROR_PAD', options(77, 'mode:i8')],
  ['L2_NORMALIZATION', options(12, ACTIVATION)],
  ['ARG_MAX', options(40, 'output_type:i8')],
  ['ARG_MIN', options(57, 'output_type:i8')],
  ['GELU', options(116, 'approximate:flag')],
  ['DIV', options(29, ACTIVATION)],
  ['PACK', options(59, 'values_count:i32', 'axis:i32')],
  ['UNPACK', options(64, 'num:i32', 'axis:i32')],
  ['DEPTH_TO_SPACE', options(94, 'block_size:i32')],
  ['MEAN', REDUCER],
  ['SUM', REDUCER],
  ['REDUCE_MAX', REDUCER],
  ['REDUCE_MIN', REDUCER],
  ['SUB', options(28, ACTIVATION, 'pot_scale_int16:flag=1')],
  ['SQUEEZE', options(30)],
  [
    'STRIDED_SLICE',
    options(32, 'begin_mask:i32', 'end_mask:i32', 'ellipsis_mask:i32', 'new_axis_mask:i32', 'shrink_axis_mask:i32'),
  ],
  ['SPLIT', options(35, 'num_splits:i32')],
  [
    'UNIDIRECTIONAL_SEQUENCE_LSTM',
    options(71, ACTIVATION, 'cell_clip:f32', 'proj_clip:f32', 'time_major:flag', null, 'diagonal_recurrent:flag'),
  ],
  ['SVDF', options(6, 'rank:i32', ACTIVATION)],
  ['TRANSPOSE_CONV', options(49, ...STRIDES, ACTIVATION)],
  ['RESIZE_NEAREST_NEIGHBOR', options(74, 'align_corners:flag', 'half_pixel_centers:flag')],
  ['LEAKY_RELU', options(75, 'alpha:f32')],
  ['SPLIT_V', options(79, 'num_splits:i32')],
  ['IF', options(92, 'then_subgraph:i32', 'else_subgraph:i32')],
  ['WHILE', options(93, 'cond_subgraph:i32', 'body_subgraph:i32')],
  ['BATCH_MATMUL', options(101, 'adj_x:flag', 'adj_y:flag')],
  ['CALL_ONCE', options(103, 'init_subgraph:i32')],
  ['VAR_HANDLE', options(111, 'container:text', 'shared_name:text')],
]);

/** The options of operators that run another subgraph: which. */
export const SUBGRAPH_OPTIONS: ReadonlyMap<string, readonly string[]> = new Map([
  ['CALL', ['subgraph']],
  ['IF', ['then_subgraph', 'else_subgraph']],
  ['WHILE', ['cond_subgraph', 'body_subgraph']],
  ['CALL_ONCE', ['init_subgraph']],
]);
