/** TFLite's form of one layer: by its operator, its types, the release that ran it and the CPU. */
import type { DynamicStep, ElementwiseSteps, Kernel, OpSteps, ProductSteps } from '../nouns/kernel.js';
import { isProduct, isTensor, type Layer, type Producer, type ProductForm, type Release } from '../nouns/model.js';
import { tfliteLinear } from './families.js';
import {
  fixedPointConvolution,
  fixedPointDoubleRounding,
  fixedPointDoubleRoundingOfDoubles,
  fixedPointDoubleRoundingUp,
  fixedPointSingleRounding,
} from './steps/fixedPointMultiplier.js';
import { float64OfFloat32Scales } from './steps/multiplier.js';
import { unbounded } from './steps/quantize.js';
import { clampToSixOnly, rescaleDoubleRounding, rescaleFloat32Ratio } from './steps/rescale.js';
import { halfAway } from './steps/round.js';
import { leakyReluNegativeMultiplier } from './steps/tflite/activations.js';
import { addReference } from './steps/tflite/add.js';
import {
  hybridInBlocks,
  hybridReference,
  hybridSymmetric,
  hybridWeightFirst,
  hybridXnnpack,
  hybridXnnpackByPlace,
} from './steps/tflite/hybrid.js';
import { isWithoutTanh, lstmWithoutTanh } from './steps/tflite/lstm.js';
import { matmulRuy, matmulXnnpackWithoutZeroPoint } from './steps/tflite/matmul.js';
import {
  convolutionRuyAvx,
  convolutionRuySingle,
  exactInt64,
  inBlocksOf8,
  inFlatBlocksOf16,
  integerBias,
  linearRuySingle,
  sameUnderflows,
  shortMultiplierLinear,
  shortMultiplierOfDoubles,
  weightZeroPointIgnored,
} from './steps/tflite/products.js';
import { meanBuiltinOneByOne, meanXnnpackAway, sumXnnpackAway } from './steps/tflite/reduce.js';
import { builtinScalarQuantize, hybridLinear, referenceOps } from './tflite.js';

/** Everything that decides beside the layer. */
interface Where {
  readonly release: Release;
  /** ruy rounds twice with AVX, once without. */
  readonly avx: boolean;
}

/** The newest where nothing is declared. */
export function releaseOf({ framework = '', frameworkVersion = '' }: Producer): Release {
  const [major, minor] = frameworkVersion.split('.').map(Number);
  if (framework === 'tensorflow') return 'tensorflow-2.21';
  if (/^tflite(-runtime)?$/.test(framework) && major === 2) return 'tflite-2.14';
  if (major === 1 && /^(ai-edge-)?litert$/.test(framework)) return minor < 3 ? 'litert-1.2' : 'litert-1.4';
  return 'litert-2.3';
}

function whereOf(producer: Producer): Where {
  const { arch = '', cpuCapability = '' } = producer;
  const isOther = /^(aarch64|arm)/i.test(arch) || /neon|sse/i.test(cpuCapability);
  return { release: releaseOf(producer), avx: !isOther };
}

type FormOf = (layer: Layer, where: Where) => OpSteps | null;

/** The kernel with a layer's own steps; the same for the same layer and producer. */
function byLayer(formOf: FormOf): NonNullable<Kernel['ofLayer']> {
  const known = new WeakMap<Layer, Map<string, Kernel>>();
  return function ofLayer(this: Kernel, layer, producer) {
    const where = whereOf(producer);
    const key = `${this.name} ${where.release} ${where.avx}`;
    const own = known.get(layer) ?? new Map<string, Kernel>();
    known.set(layer, own);
    const steps = own.has(key) ? null : formOf(layer, where);
    if (!own.has(key)) own.set(key, steps ? { ...this, ops: { ...this.ops, [layer.op]: steps } } : this);
    return own.get(key)!;
  };
}

const isInt16 = ({ output }: Layer) => output?.dtype === 'int16';
const isUint8 = ({ output }: Layer) => output?.dtype === 'uint8';

function biasOf({ ownBias, biasInt32 }: ProductForm): 'int64' | 'int32' | 'none' {
  if (ownBias === 'int64') return 'int64';
  return biasInt32 ? 'int32' : 'none';
}

const INT16 = ['int16'] as const;
const wide = (own: Pick<ProductSteps, 'multiplier'> & Partial<ProductSteps>) =>
  tfliteLinear({ accumulate: exactInt64, bias: integerBias, codes: INT16, ...own });
const narrow = (own: Pick<ProductSteps, 'multiplier'>) => tfliteLinear({ codes: INT16, ...own });

const shortConvolution = wide({ multiplier: shortMultiplierOfDoubles });
const shortLinear = wide({ multiplier: shortMultiplierLinear });
const doubleLinear = wide({ multiplier: float64OfFloat32Scales, round: halfAway });
const doubleConvolution = narrow({ multiplier: fixedPointConvolution });

/**
 * 16x8: an int64 bias, or none, goes with 64-bit sums; an int32 bias beside CONV_2D is read as int64, garbage. TFLite 2.14's
 * TRANSPOSE_CONV without bias has sums of 32 bits.
 */
function convolution16(form: ProductForm, int32: ProductSteps, release?: Release): ProductSteps | null {
  const isNarrow = release === 'tflite-2.14' && biasOf(form) === 'none' && form.patch?.window.transposed;
  if (isNarrow) return doubleConvolution;
  if (biasOf(form) !== 'int32') return shortConvolution;
  return form.patch?.depthwise || form.patch?.window.transposed ? null : int32;
}

const isGrouped = ({ patch }: ProductForm) => patch!.groups > 1;

// ---------------------------------------------------------------- reference resolver

const multiplierOf = (multiplier: ProductSteps['multiplier']) => tfliteLinear({ multiplier });
const linearDoubleRounding = multiplierOf(fixedPointDoubleRounding);

const hybridOf = (dynamic: DynamicStep) => ({ ...hybridLinear, dynamic });

/** Without a zero point where the file says so, and for convolutions of one scale. */
function isSymmetric({ patch, dynamic, weightScale }: ProductForm): boolean {
  return patch ? !patch.depthwise && weightScale.length === 1 : dynamic!.asymmetric === false;
}

/** Without a delegate each product becomes a float by itself, and those are added one after the other. */
const HYBRID_TRANSPOSED = { ...hybridOf(hybridReference), lacks: 'sums in float32' };

function referenceHybrid(form: ProductForm): OpSteps {
  const { patch } = form;
  if (patch?.window.transposed) return HYBRID_TRANSPOSED;
  if (isSymmetric(form)) return hybridOf(hybridSymmetric);
  return hybridOf(patch && !patch.depthwise ? hybridWeightFirst : hybridReference);
}

function referenceForm(layer: Layer, where: Where): OpSteps | null {
  if (layer.op === 'sequence_lstm' && isTensor(layer))
    return isWithoutTanh(layer.form.attributes) ? lstmWithoutTanh : null;
  if (isProduct(layer) && layer.form.dynamic) return referenceHybrid(layer.form);
  if (isProduct(layer)) return referenceProduct(layer, layer.form, where);
  return tensorOf(layer, where) ?? rectified(layer, { rescale: rescaleFloat32Ratio });
}

function referenceProduct(layer: Layer, form: ProductForm, { release }: Where): OpSteps | null {
  const isOld = release === 'litert-1.2' || release === 'tflite-2.14';
  if (form.patch) return isInt16(layer) ? convolution16(form, doubleConvolution, release) : null;
  if (!isInt16(layer)) return isOld ? linearDoubleRounding : null;
  if (!isOld) return doubleLinear;
  const isNarrow = biasOf(form) === 'int32' || (biasOf(form) === 'none' && isNarrowWithout(form, release));
  return isNarrow ? narrow({ multiplier: fixedPointDoubleRounding }) : shortLinear;
}

function isNarrowWithout({ absentBias }: ProductForm, release: Release): boolean {
  return release === 'tflite-2.14' || absentBias === 'int32';
}

/** Up to LiteRT 1.4 the multiplier of a negative slope had its sign. */
const OLDER: Kernel['ops'] = { leaky_relu: leakyReluNegativeMultiplier };

function tensorOf({ op, form }: Layer, { release }: Where): OpSteps | null {
  return form && release !== 'litert-2.3' ? (OLDER[op] ?? null) : null;
}

/** RELU nodes that rescale. */
const RECTIFIED: Readonly<Record<string, ElementwiseSteps>> = {
  requantize: referenceOps.requantize as ElementwiseSteps,
};

function rectified(layer: Layer, own: Partial<ElementwiseSteps>): OpSteps | null {
  const steps = RECTIFIED[layer.op];
  return steps && isClamped(layer) ? { ...steps, ...own } : null;
}

function isClamped({ form }: Layer): boolean {
  return form?.kind === 'elementwise' && form.clamp !== null;
}

export const ofReferenceLayer = byLayer(referenceForm);

// ---------------------------------------------------------------- TFLite Micro

function microForm(layer: Layer): OpSteps | null {
  if (!isProduct(layer)) {
    const isSix = layer.form?.kind === 'elementwise' && layer.form.clamp?.upper === 6;
    return rectified(layer, isSix ? { rescale: clampToSixOnly, bound: unbounded } : { rescale: rescaleDoubleRounding });
  }
  if (!isInt16(layer)) return null;
  if (layer.form.patch) return convolution16(layer.form, doubleConvolution);
  const isNarrow = biasOf(layer.form) === 'int32' || layer.form.absentBias === 'int32';
  return isNarrow ? narrow({ multiplier: fixedPointDoubleRoundingOfDoubles }) : shortConvolution;
}

export const ofMicroLayer = byLayer(microForm);

// ---------------------------------------------------------------- builtin kernels

const linearOnAvx = multiplierOf(fixedPointDoubleRoundingUp);
const linearElsewhere = multiplierOf(linearRuySingle);
const convolutionOnAvx = multiplierOf(convolutionRuyAvx);
const convolutionElsewhere = multiplierOf(convolutionRuySingle);
const convolutionOneByOne = multiplierOf(fixedPointConvolution);
const channelsOf8 = multiplierOf(inBlocksOf8);
const valuesOf16 = multiplierOf(inFlatBlocksOf16);

function builtinForm(layer: Layer, where: Where): OpSteps | null {
  if (!isProduct(layer)) return builtinTensor(layer, where) ?? referenceForm(layer, where);
  if (layer.form.dynamic) return builtinHybrid(layer.form);
  if (layer.form.patch) return builtinConvolution(layer, layer.form, where);
  const { release, avx } = where;
  if (isInt16(layer)) {
    // without a bias LiteRT 2.3 goes by the type that it would have; releases before do not look
    const isWide = biasOf(layer.form) === 'int64' || (layer.form.absentBias === 'int64' && release === 'litert-2.3');
    if (isWide) return referenceProduct(layer, layer.form, where);
    return narrow({ multiplier: avx ? fixedPointDoubleRoundingUp : fixedPointSingleRounding });
  }
  if (isUint8(layer) && release === 'tflite-2.14') return linearDoubleRounding;
  return avx ? linearOnAvx : linearElsewhere;
}

/** Its vectors of 4 rows and 32 columns have sums of (w + 7) * q, and are quantized without a zero point whatever the file says. */
function isIn4Bits({ patch, dynamic, weight: { inFeatures, outFeatures } }: ProductForm): boolean {
  return !patch && dynamic?.bits === 4 && inFeatures % 2 === 0 && inFeatures >= 32 && outFeatures >= 4;
}

function builtinHybrid(form: ProductForm): OpSteps {
  if (isIn4Bits(form)) return { ...hybridOf(hybridReference), lacks: 'weights of 4 bits from 32 columns on' };
  const { patch } = form;
  if (patch?.window.transposed || (patch && !patch.depthwise && patch.groups > 1)) return referenceHybrid(form);
  if (isSymmetric(form)) return hybridOf(hybridSymmetric);
  return hybridOf(patch?.depthwise ? hybridInBlocks : hybridReference);
}

function builtinConvolution(layer: Layer, form: ProductForm, { release, avx }: Where): OpSteps | null {
  const { depthwise, window } = form.patch!;
  const withoutVectors = release === 'tflite-2.14';
  if (isInt16(layer)) {
    const ruy = narrow({ multiplier: avx ? convolutionRuyAvx : convolutionRuySingle });
    return convolution16(form, isGrouped(form) ? doubleConvolution : ruy, release);
  }
  if (depthwise || window.transposed) {
    if (withoutVectors || (isUint8(layer) && depthwise)) return convolutionOneByOne;
    return isUint8(layer) ? valuesOf16 : channelsOf8;
  }
  if (isGrouped(form) || (isUint8(layer) && withoutVectors)) return convolutionOneByOne;
  return avx ? convolutionOnAvx : convolutionElsewhere;
}

/** Of int8, up to LiteRT 1.4. */
const OLDER_INT8: Kernel['ops'] = { matmul: matmulRuy };

/** Of the wheel without vector code. */
const WITHOUT_VECTORS: Kernel['ops'] = {
  add: addReference(1),
  mean: meanBuiltinOneByOne,
  quantize: builtinScalarQuantize,
  dequantize: referenceOps.dequantize,
  requantize: referenceOps.requantize,
};

function builtinTensor(layer: Layer, { release }: Where): OpSteps | null {
  const isOld = release === 'litert-1.4' || release === 'litert-1.2' || release === 'tflite-2.14';
  const older = isOld && layer.output?.dtype === 'int8' ? OLDER_INT8[layer.op] : undefined;
  if (older || release !== 'tflite-2.14' || isClamped(layer)) return older ?? null;
  return WITHOUT_VECTORS[layer.op] ?? null;
}

export const ofBuiltinLayer = byLayer(builtinForm);

// ---------------------------------------------------------------- the delegate

/** Ties of means, up to LiteRT 1.4 and TensorFlow 2.21; and a defect of the latter alone. */
const BEFORE_2_3: Kernel['ops'] = { mean: meanXnnpackAway, sum: sumXnnpackAway };
const OF_TENSORFLOW: Kernel['ops'] = { ...BEFORE_2_3, matmul: matmulXnnpackWithoutZeroPoint };

/** Defects of LiteRT up to 1.4 and TensorFlow 2.21. */
function delegateForm(own: Kernel['ops'], layer: Layer, { release }: Where): OpSteps | null {
  if (isProduct(layer) && layer.form.dynamic) return delegateHybrid(layer.form, release);
  if (release === 'litert-2.3') return null;
  const steps = own[layer.op];
  if (isProduct(layer) && steps?.kind === 'product') {
    if (layer.form.patch) return layer.form.patch.same ? { ...steps, accumulate: sameUnderflows } : null;
    const hasZeroPoint = layer.form.weightZeroPoint.some((zero) => zero !== 0);
    return hasZeroPoint && !isUint8(layer) ? { ...steps, accumulate: weightZeroPointIgnored } : null;
  }
  return (release === 'tensorflow-2.21' ? OF_TENSORFLOW : BEFORE_2_3)[layer.op] ?? null;
}

/** 1x1 with stride 1 runs as rows, but in groups and where the weights are a single number. */
function delegateHybrid({ patch, weight }: ProductForm, release: Release): OpSteps {
  const window = patch?.groups === 1 ? patch.window : null;
  const isRows = window?.kernel.every((size) => size === 1) && window.stride.every((step) => step === 1);
  const own = hybridOf(isRows && weight.outFeatures * weight.inFeatures > 1 ? hybridXnnpackByPlace : hybridXnnpack);
  return release !== 'litert-2.3' && patch?.same ? { ...own, accumulate: sameUnderflows } : own;
}

/** What the delegate does not take runs in the builtin kernels, node by node. */
export function ofDelegatedLayer(ops: Kernel['ops'], builtin: Kernel): NonNullable<Kernel['ofLayer']> {
  const taken = byLayer((layer, where) => delegateForm(ops, layer, where));
  return function ofLayer(this: Kernel, layer, producer) {
    return isDelegated(layer, producer) ? taken.call(this, layer, producer) : builtin.ofLayer!(layer, producer);
  };
}

/** As whoever ran it says, else by rule; what is no node of TFLite's is XNNPACK's. */
function isDelegated({ name, delegates }: Layer, producer: Producer): boolean {
  if (!delegates) return true;
  const said = producer.kernel === undefined || producer.kernel === 'xnnpack' ? producer.delegated : undefined;
  return said ? said.includes(name) : delegates.includes(releaseOf(producer));
}
