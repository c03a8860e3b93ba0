/** What all kernels of a runtime share; a kernel file adds its facts and its own steps. */
import type { CodeRange } from '../nouns/chosenRange.js';
import type {
  AccumulateStep,
  DequantizeStep,
  DynamicStep,
  ElementwiseSteps,
  Kernel,
  OnReals,
  OpSteps,
  ProductSteps,
  QuantizeStep,
  RescaleStep,
} from '../nouns/kernel.js';
import { everyRank } from './everyRank.js';
import { atenTensors, decomposedTensors, qnnpackTensors } from './pyTorch.js';
import { exact } from './steps/accumulate.js';
import {
  floatBias,
  int32BiasDivision32,
  int32Biases,
  int32BiasReciprocal,
  int32BiasReciprocalHalfAway,
  realBias,
} from './steps/bias.js';
import { takenInMemoryOrder } from './steps/clampInMemoryOrder.js';
import { dequantizeExpanded, dequantizeFloat32 } from './steps/dequantize.js';
import { dynamicFbgemm, dynamicOnInputGrid, dynamicQnnpack } from './steps/dynamic.js';
import { fixedPointConvolution } from './steps/fixedPointMultiplier.js';
import { float32Product, float32ProductFused, float32ProductReciprocal } from './steps/multiplier.js';
import { clampRoundOffset, offsetClampRound, packInt16, roundThenOffset } from './steps/offsetAndClamp.js';
import {
  type Isa,
  oneDnnConvolutionPairs,
  oneDnnConvolutionScaling,
  oneDnnSilu,
  scrambledWeights,
} from './steps/oneDnnConvolution.js';
import { sumsOfPointwise, sumsOfQuantized, sumsOfScript } from './steps/onReals.js';
import { qnnpackConvolution } from './steps/qnnpackConvolution.js';
import {
  quantizeDecomposed,
  quantizeDivision,
  quantizeDivisionHalfAway,
  quantizeFma,
  quantizeOffsetFirst,
  quantizeReciprocal,
  quantizeTwoRoundings,
} from './steps/quantize.js';
import { areBytes, isDelegated, rescaleDefault } from './steps/rescale.js';
import { halfEven, insideMultiplier } from './steps/round.js';

export type Ops = Kernel['ops'];
export type Own<Given extends keyof ProductSteps> = Pick<ProductSteps, Given>;

/** A product's steps; what is not given is what most kernels have. */
export function product(
  steps: Own<'accumulate' | 'bias' | 'multiplier' | 'round' | 'offsetAndClamp' | 'bound'> & Partial<ProductSteps>,
): ProductSteps {
  const none = { dynamic: null, float: null, uint8Weights: [] };
  return { kind: 'product', ...none, alsoBiases: [], alsoMultipliers: [], ...steps };
}

/** linear, and linear_dynamic where the runtime has it. */
export function products(linear: ProductSteps, dynamic: DynamicStep | null): Record<string, OpSteps> {
  return dynamic ? { linear, linear_dynamic: { ...linear, dynamic } } : { linear };
}

export const TRANSPOSED = ['conv_transpose1d', 'conv_transpose2d', 'conv_transpose3d'];
const CONVOLUTIONS = ['conv1d', 'conv2d', 'conv3d', ...TRANSPOSED];

/** Every convolution by the same steps, but those that the runtime does not have, or that have no model. */
export function convolutions(steps: ProductSteps, without: readonly string[] = []): Record<string, ProductSteps> {
  return Object.fromEntries(CONVOLUTIONS.filter((op) => !without.includes(op)).map((op) => [op, steps]));
}

/** Those that quantize what they read. */
export function convolutionsDynamic(steps: ProductSteps): Record<string, OpSteps> {
  return everyRank('conv', steps, '_dynamic');
}

/** And those of PyTorch that quantize their own input. codes: what they spread its range over. */
function withDynamic(onCodes: Record<string, ProductSteps>, codes: CodeRange = 'asked'): Record<string, ProductSteps> {
  const own = Object.entries(onCodes).map(
    ([op, steps]) => [`${op}_dynamic`, { ...steps, dynamic: dynamicOnInputGrid(codes, steps.multiplier) }] as const,
  );
  return { ...onCodes, ...Object.fromEntries(own) };
}

export interface Conversions {
  readonly quantize: QuantizeStep;
  readonly dequantize: DequantizeStep;
  /** Of a clamp's bounds, 6 of ReLU6 among them. */
  readonly bound: QuantizeStep;
  /** Codes to codes of another scale; absent: through reals. */
  readonly rescale?: RescaleStep;
  /** Where vector code takes several values at a time. */
  readonly blocks?: Partial<Record<'quantize' | 'dequantize' | 'requantize', ElementwiseSteps['block']>>;
}

/** quantize_dynamic, as a dynamic product quantizes what it reads. */
export function quantizesItself({ quantize, chooseQuantParams }: DynamicStep): Record<string, OpSteps> {
  const choose = (min: number, max: number) => chooseQuantParams(min, max, false);
  return {
    quantize_dynamic: { kind: 'elementwise', dequantize: null, quantize, rescale: null, bound: quantize, choose },
  };
}

/** The elementwise ops, all from how a runtime converts. */
export function elementwise({
  quantize,
  dequantize,
  bound,
  rescale,
  blocks = {},
}: Conversions): Record<string, OpSteps> {
  const onCodes: ElementwiseSteps = { kind: 'elementwise', dequantize: null, quantize: null, rescale: null, bound };
  return {
    quantize: { ...onCodes, quantize, ...blockOf(blocks.quantize) },
    dequantize: { ...onCodes, dequantize, ...blockOf(blocks.dequantize) },
    requantize: {
      ...onCodes,
      ...(rescale ? { rescale } : { dequantize, quantize }),
      ...blockOf(blocks.requantize),
    },
    identity: onCodes,
    relu: onCodes,
    relu6: onCodes,
    clamp: onCodes,
    hardtanh: onCodes,
  };
}

function blockOf(block: ElementwiseSteps['block']): Pick<ElementwiseSteps, 'block'> {
  return block ? { block } : {};
}

/** torch.quantize_per_tensor, dequantize and the bounds of ReLU6, hardtanh and clamp are the same for every engine. */
const pyTorchBound = { bound: quantizeTwoRoundings };
const pyTorchConversions = elementwise({
  quantize: quantizeFma,
  dequantize: dequantizeFloat32,
  ...pyTorchBound,
});

/** Every engine runs the same ATen code, but QNNPACK its own where it has one. */
const atenOps = (): Ops => ({ ...pyTorchConversions, ...atenTensors });

/** PT2E's reference graph: floats between dequantize and quantize. */
const decomposedConversions = elementwise({
  quantize: quantizeDecomposed,
  dequantize: dequantizeFloat32,
  bound: quantizeDecomposed,
});
export const decomposedOps = (): Ops => ({ ...decomposedConversions, ...decomposedTensors });

function fbgemmLinear(own: Own<'accumulate'>): ProductSteps {
  return product({
    bias: floatBias,
    multiplier: float32ProductFused,
    round: halfEven,
    offsetAndClamp: packInt16,
    ...pyTorchBound,
    ...own,
  });
}

/** Without what takes whole values. convolutionSums: of its convolutions, by geometry. */
export function fbgemmOps(own: Own<'accumulate'>, convolutionSums: AccumulateStep = own.accumulate): Ops {
  const linear = fbgemmLinear(own);
  const convolution = { ...linear, accumulate: convolutionSums };
  return { ...products(linear, dynamicFbgemm), ...withDynamic(convolutions(convolution)), ...pyTorchConversions };
}

const qnnpackClamps: Ops = Object.fromEntries(
  ['relu6', 'hardtanh', 'clamp'].map((op) => [
    op,
    { ...(pyTorchConversions[op] as ElementwiseSteps), taken: takenInMemoryOrder },
  ]),
);

export function qnnpackOps(): Ops {
  const linear = product({
    accumulate: exact,
    bias: int32BiasReciprocal,
    multiplier: float32ProductReciprocal,
    round: halfEven,
    offsetAndClamp: packInt16,
    ...pyTorchBound,
  });
  const convolution = { ...linear, multiplier: qnnpackConvolution };
  // PyTorch 2.13 computes transposed ones of three axes wrongly, by what happens to lie in memory
  const known = withDynamic(convolutions(convolution, ['conv_transpose3d']), '8 bits');
  return { ...products(linear, dynamicQnnpack), ...known, ...atenOps(), ...qnnpackClamps, ...qnnpackTensors };
}

function oneDnnLinear(own: Own<'accumulate' | 'multiplier'>): ProductSteps {
  return product({ bias: realBias, round: halfEven, offsetAndClamp: offsetClampRound, ...pyTorchBound, ...own });
}

/** isa: the instructions that its convolutions run with; invertsScales: PyTorch hands it 1/scale. */
export function oneDnnOps(
  own: Own<'accumulate' | 'multiplier'>,
  {
    isa,
    invertsScales,
    onReals = invertsScales ? sumsOfQuantized : sumsOfPointwise(oneDnnSilu(isa)),
  }: { readonly isa: Isa; readonly invertsScales: boolean; readonly onReals?: OnReals },
  dynamic: DynamicStep | null,
): Ops {
  const linear = oneDnnLinear(own);
  const accumulate = isa === 'amx' || isa === 'vnni' ? exact : oneDnnConvolutionPairs(isa);
  const multiplier = oneDnnConvolutionScaling(isa, invertsScales);
  const convolution = { ...linear, accumulate, multiplier, packed: scrambledWeights };
  // what inverts no scales is onednn::qconv_pointwise, which has no transposed form
  const ofPyTorch = invertsScales ? withDynamic(convolutions(convolution)) : convolutions(convolution, TRANSPOSED);
  // of images alone
  const fused = {
    conv2d: { ...convolution, onReals: { ...onReals, add: null } },
    conv2d_add: { ...convolution, onReals },
  };
  // Inductor compiles the graph's own quantize
  const conversions = invertsScales ? {} : decomposedConversions;
  return { ...products(linear, dynamic), ...ofPyTorch, ...fused, ...atenOps(), ...conversions };
}

/** A float32 bias of the file is rounded as TFLite's converter does; it comes ready made, so other roundings are possible. */
export function tfliteLinear(own: Own<'multiplier'> & Partial<ProductSteps>): ProductSteps {
  return product({
    accumulate: exact,
    bias: int32BiasReciprocalHalfAway,
    round: insideMultiplier,
    offsetAndClamp: roundThenOffset,
    bound: quantizeDivisionHalfAway,
    alsoBiases: int32Biases,
    ...own,
  });
}

export function tfliteOps(own: Own<'multiplier'> & Partial<ProductSteps>, rescale: RescaleStep): Ops {
  const conversions = { quantize: quantizeDivisionHalfAway, dequantize: dequantizeFloat32, rescale };
  return {
    ...products(tfliteLinear(own), null),
    ...elementwise({ ...conversions, bound: quantizeDivisionHalfAway }),
  };
}

/** All convolutions of TFLite's reference kernels, depthwise and grouped ones too. */
export function tfliteConvolutions(): Ops {
  return convolutions(tfliteLinear({ multiplier: fixedPointConvolution }));
}

/** ruy, and vector code for quantize and dequantize. */
export function tfliteOptimizedOps(own: Own<'multiplier'>, rescale: RescaleStep): Ops {
  const conversions = { quantize: quantizeReciprocal, dequantize: dequantizeExpanded, rescale };
  return {
    ...products(tfliteLinear(own), null),
    ...elementwise({ ...conversions, bound: quantizeDivisionHalfAway }),
  };
}

/** What the delegate leaves runs in the builtin kernels, with their blocks. */
const LEFT_TO_BUILTIN: Conversions['blocks'] = {
  quantize: (_input, output) => (areBytes(output) ? 1 : 8),
  requantize: (input, output) => (areBytes(input, output) && !isDelegated(input, output) ? 16 : 1),
};

/** A float32 bias of the file is rounded as ExecuTorch does when it hands a layer to XNNPACK. */
export function xnnpackOps(own: Own<'accumulate'>): Ops {
  const linear = product({
    bias: int32BiasDivision32,
    multiplier: float32Product,
    round: halfEven,
    offsetAndClamp: clampRoundOffset,
    bound: quantizeOffsetFirst,
    alsoBiases: int32Biases,
    ...own,
  });
  const conversions = { quantize: quantizeReciprocal, dequantize: dequantizeFloat32, rescale: rescaleDefault };
  const blocks = LEFT_TO_BUILTIN;
  return {
    ...products(linear, null),
    ...convolutions(linear),
    ...elementwise({ ...conversions, bound: quantizeOffsetFirst, blocks }),
  };
}

export function numpyOps(
  own: Own<'bias' | 'multiplier'> & Partial<ProductSteps>,
  dynamic: DynamicStep,
  conversions: Pick<Conversions, 'dequantize' | 'rescale'>,
): Ops {
  const linear = product({
    accumulate: exact,
    round: halfEven,
    offsetAndClamp: roundThenOffset,
    bound: quantizeDivision,
    alsoBiases: int32Biases,
    uint8Weights: ['uint8', 'int8'],
    ...own,
  });
  return {
    ...products(linear, dynamic),
    ...convolutions(linear),
    conv2d: { ...linear, onReals: { ...sumsOfScript, add: null } },
    conv2d_add: { ...linear, onReals: sumsOfScript },
    ...elementwise({ quantize: quantizeDivision, bound: quantizeDivision, ...conversions }),
  };
}
