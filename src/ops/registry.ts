import { abs } from './abs.js';
import { adaptiveAvgPool1d } from './adaptiveAvgPool1d.js';
import { adaptiveAvgPool2d } from './adaptiveAvgPool2d.js';
import { adaptiveAvgPool3d } from './adaptiveAvgPool3d.js';
import { add } from './add.js';
import { addScalar } from './addScalar.js';
import { amax } from './amax.js';
import { amin } from './amin.js';
import { argmax } from './argmax.js';
import { argmin } from './argmin.js';
import { avgPool1d } from './avgPool1d.js';
import { avgPool2d } from './avgPool2d.js';
import { avgPool3d } from './avgPool3d.js';
import { batchNorm } from './batchNorm.js';
import { batchToSpace } from './batchToSpace.js';
import { biasGelu } from './biasGelu.js';
import { cat } from './cat.js';
import { celu } from './celu.js';
import { channelShuffle } from './channelShuffle.js';
import { clamp } from './clamp.js';
import { compare } from './compare.js';
import { conv1d } from './conv1d.js';
import { conv1dDynamic } from './conv1dDynamic.js';
import { conv1dFloat } from './conv1dFloat.js';
import { conv2d } from './conv2d.js';
import { conv2dAdd } from './conv2dAdd.js';
import { conv2dDynamic } from './conv2dDynamic.js';
import { conv2dFloat } from './conv2dFloat.js';
import { conv3d } from './conv3d.js';
import { conv3dDynamic } from './conv3dDynamic.js';
import { conv3dFloat } from './conv3dFloat.js';
import { convTranspose1d } from './convTranspose1d.js';
import { convTranspose1dDynamic } from './convTranspose1dDynamic.js';
import { convTranspose1dFloat } from './convTranspose1dFloat.js';
import { convTranspose2d } from './convTranspose2d.js';
import { convTranspose2dDynamic } from './convTranspose2dDynamic.js';
import { convTranspose2dFloat } from './convTranspose2dFloat.js';
import { convTranspose3d } from './convTranspose3d.js';
import { convTranspose3dDynamic } from './convTranspose3dDynamic.js';
import { convTranspose3dFloat } from './convTranspose3dFloat.js';
import { cumsum } from './cumsum.js';
import { depthToSpace } from './depthToSpace.js';
import { dequantize } from './dequantize.js';
import { div } from './div.js';
import { dropout } from './dropout.js';
import { elu } from './elu.js';
import { embedding } from './embedding.js';
import { embeddingBag } from './embeddingBag.js';
import { embedLayerNorm } from './embedLayerNorm.js';
import { equal } from './eq.js';
import { erf } from './erf.js';
import { exp } from './exp.js';
import { expand } from './expand.js';
import { flatten } from './flatten.js';
import { greaterOrEqual } from './ge.js';
import { gelu } from './gelu.js';
import { glu } from './glu.js';
import { groupNorm } from './groupNorm.js';
import { greaterThan } from './gt.js';
import { hardsigmoid } from './hardsigmoid.js';
import { hardswish } from './hardswish.js';
import { hardtanh } from './hardtanh.js';
import { identity } from './identity.js';
import { indexSelect } from './indexSelect.js';
import { instanceNorm } from './instanceNorm.js';
import { interpolate } from './interpolate.js';
import { l2Normalize } from './l2Normalize.js';
import { layerNorm } from './layerNorm.js';
import { lessOrEqual } from './le.js';
import { leakyRelu } from './leakyRelu.js';
import { linear } from './linear.js';
import { linearBlocksDynamic } from './linearBlocksDynamic.js';
import { linearDynamic } from './linearDynamic.js';
import { linearFloat } from './linearFloat.js';
import { log } from './log.js';
import { logSoftmax } from './logSoftmax.js';
import { logsumexp } from './logsumexp.js';
import { lstmDynamic } from './lstmDynamic.js';
import { lessThan } from './lt.js';
import { matmul } from './matmul.js';
import { maximum } from './maximum.js';
import { maxPool1d } from './maxPool1d.js';
import { maxPool2d } from './maxPool2d.js';
import { maxPool3d } from './maxPool3d.js';
import { mean } from './mean.js';
import { minimum } from './minimum.js';
import { mish } from './mish.js';
import { mul } from './mul.js';
import { mulScalar } from './mulScalar.js';
import { notEqual } from './ne.js';
import { neg } from './neg.js';
import type { Op } from './op.js';
import { pad } from './pad.js';
import { permute } from './permute.js';
import { pixelShuffle } from './pixelShuffle.js';
import { pixelUnshuffle } from './pixelUnshuffle.js';
import { prelu } from './prelu.js';
import { preluOfTwo } from './preluOfTwo.js';
import { prod } from './prod.js';
import { qAttention } from './qAttention.js';
import { quantize } from './quantize.js';
import { quantizeDynamic } from './quantizeDynamic.js';
import { readVariable } from './readVariable.js';
import { relu } from './relu.js';
import { relu6 } from './relu6.js';
import { requantize } from './requantize.js';
import { reshape } from './reshape.js';
import { rmsNorm } from './rmsNorm.js';
import { rsqrt } from './rsqrt.js';
import { scaledDotProductAttention } from './scaledDotProductAttention.js';
import { sequenceLstm } from './sequenceLstm.js';
import { sigmoid } from './sigmoid.js';
import { silu } from './silu.js';
import { skipLayerNorm } from './skipLayerNorm.js';
import { skipRmsNorm } from './skipRmsNorm.js';
import { slice } from './slice.js';
import { softmax } from './softmax.js';
import { softplus } from './softplus.js';
import { spaceToBatch } from './spaceToBatch.js';
import { spaceToDepth } from './spaceToDepth.js';
import { sqrt } from './sqrt.js';
import { squaredDifference } from './squaredDifference.js';
import { squeeze } from './squeeze.js';
import { stack } from './stack.js';
import { std } from './std.js';
import { sub } from './sub.js';
import { sum } from './sum.js';
import { svdf } from './svdf.js';
import { tanh } from './tanh.js';
import { threshold } from './threshold.js';
import { tile } from './tile.js';
import { transpose } from './transpose.js';
import { unfold } from './unfold.js';
import { unsqueeze } from './unsqueeze.js';
import { variance } from './var.js';
import { vectorNorm } from './vectorNorm.js';
import { where } from './where.js';

/** Every op that is replayed, in the order in which they are listed to people. */
export const ops: readonly Op[] = [
  linear,
  linearDynamic,
  relu,
  relu6,
  identity,
  quantize,
  dequantize,
  conv1d,
  conv1dDynamic,
  conv2d,
  conv2dAdd,
  conv2dDynamic,
  conv3d,
  conv3dDynamic,
  convTranspose1d,
  convTranspose1dDynamic,
  convTranspose1dFloat,
  convTranspose2d,
  convTranspose2dDynamic,
  convTranspose2dFloat,
  convTranspose3d,
  convTranspose3dDynamic,
  convTranspose3dFloat,
  embedding,
  embeddingBag,
  linearFloat,
  linearBlocksDynamic,
  conv1dFloat,
  conv2dFloat,
  conv3dFloat,
  add,
  sub,
  mul,
  matmul,
  div,
  maximum,
  minimum,
  squaredDifference,
  compare,
  neg,
  abs,
  addScalar,
  mulScalar,
  cat,
  stack,
  where,
  greaterThan,
  greaterOrEqual,
  lessThan,
  lessOrEqual,
  equal,
  notEqual,
  hardswish,
  hardsigmoid,
  sigmoid,
  silu,
  mish,
  softplus,
  scaledDotProductAttention,
  lstmDynamic,
  qAttention,
  sequenceLstm,
  svdf,
  tanh,
  leakyRelu,
  elu,
  celu,
  gelu,
  biasGelu,
  glu,
  erf,
  exp,
  log,
  logSoftmax,
  sqrt,
  rsqrt,
  prelu,
  preluOfTwo,
  threshold,
  maxPool1d,
  maxPool2d,
  maxPool3d,
  avgPool1d,
  avgPool2d,
  avgPool3d,
  adaptiveAvgPool1d,
  adaptiveAvgPool2d,
  adaptiveAvgPool3d,
  mean,
  sum,
  vectorNorm,
  prod,
  variance,
  std,
  logsumexp,
  cumsum,
  amax,
  amin,
  argmax,
  argmin,
  quantizeDynamic,
  interpolate,
  softmax,
  l2Normalize,
  batchNorm,
  layerNorm,
  rmsNorm,
  skipLayerNorm,
  embedLayerNorm,
  skipRmsNorm,
  groupNorm,
  instanceNorm,
  flatten,
  reshape,
  permute,
  transpose,
  slice,
  indexSelect,
  expand,
  tile,
  squeeze,
  unsqueeze,
  unfold,
  pad,
  pixelShuffle,
  pixelUnshuffle,
  depthToSpace,
  spaceToDepth,
  spaceToBatch,
  batchToSpace,
  channelShuffle,
  dropout,
  readVariable,
  requantize,
  clamp,
  hardtanh,
];

const byName = new Map(ops.map((op) => [op.name, op]));

export function opInRegistry(name: string): Op | null {
  return byName.get(name) ?? null;
}
