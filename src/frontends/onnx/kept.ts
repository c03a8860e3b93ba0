/** Operators that keep the dims or the type of their first input. */

/** Each number from the one at its place. */
export const ONE_BY_ONE: ReadonlySet<string> = new Set([
  ...['QuantizeLinear', 'DequantizeLinear', 'DynamicQuantizeLinear', 'Identity', 'Cast', 'Dropout', 'Clip', 'Not'],
  ...[
    'Relu',
    'LeakyRelu',
    'Elu',
    'Selu',
    'Celu',
    'ThresholdedRelu',
    'Gelu',
    'Swish',
    'Mish',
    'HardSwish',
    'Softplus',
    'BiasGelu',
    'FastGelu',
  ],
  ...['Sigmoid', 'HardSigmoid', 'Tanh', 'Erf', 'Exp', 'Log', 'Sqrt', 'Reciprocal', 'Neg', 'Abs', 'Sign'],
  ...['Floor', 'Ceil', 'Round', 'QLinearSigmoid', 'QLinearLeakyRelu'],
]);

/** From those along an axis. */
export const OVER_AXIS: ReadonlySet<string> = new Set([
  ...[
    'Softmax',
    'LogSoftmax',
    'LayerNormalization',
    'SimplifiedLayerNormalization',
    'RMSNormalization',
    'QLinearSoftmax',
    'SkipLayerNormalization',
    'SkipSimplifiedLayerNormalization',
  ],
]);

export const KEEPS_DIMS: ReadonlySet<string> = new Set([
  ...ONE_BY_ONE,
  ...OVER_AXIS,
  ...['BatchNormalization', 'InstanceNormalization', 'GroupNormalization', 'PRelu', 'CumSum', 'Trilu'],
]);

/** Their one output has the type of their first input. */
export const KEEPS_FLOAT =
  /^(Conv|ConvTranspose|Gemm|MatMul|FusedMatMul|Add|Sub|Mul|Div|Max|Min|Relu|Clip|Identity|.*Pool|Sigmoid|Tanh|.*Softmax|Reshape|Flatten|Transpose|Squeeze|Unsqueeze|Slice|Concat|.*Normalization|HardSigmoid|HardSwish|Swish|LeakyRelu|Elu|Gelu|Erf|Sqrt|Pow|Exp|Neg|Abs|PRelu|Pad|Resize|Dropout|Expand|Gather|Split|Tile|Reduce(Mean|Max|Min|Sum))$/;
