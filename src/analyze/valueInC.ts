/** C of what TFLite's runtimes compute from whole values of 8 bits, in integers alone: one code of the output at a time. */

import { quantized } from '../kernels/steps/call.js';
import { imageOf, placesOf } from '../kernels/steps/pool.js';
import { leakyReluNegativeMultiplier } from '../kernels/steps/tflite/activations.js';
import { clampOf, type Runtime, scaleOf } from '../kernels/steps/tflite/common.js';
import { doubles, float32Quotient, realOf } from '../kernels/steps/tflite/multiply.js';
import { builtinOps, delegateTensors, microOps, referenceOps } from '../kernels/tflite.js';
import type { PoolAttributes, ReduceAttributes } from '../nouns/attributes.js';
import type { OpSteps, TensorCall } from '../nouns/kernel.js';
import type { FixedPointMultiplier } from '../nouns/written.js';
import { quantizeMultiplier } from '../numeric/fixedPoint.js';
import { f32, frexp } from '../numeric/float.js';
import { floor, roundHalfEven } from '../numeric/round.js';
import { axesOf, checkedAxes } from '../tensor/axes.js';
import { broadcastIndex } from '../tensor/broadcast.js';
import { type Cover, windowCovers } from '../tensor/covers.js';
import { reducedAxes } from '../tensor/reduced.js';
import { channelsOf, positionsOf, sizeOf } from '../tensor/shape.js';

export interface ValueInC {
  /** Constants: names behind the layer's identifier. */
  readonly arrays: readonly { readonly name: string; readonly values: ArrayLike<number> }[];
  /** From the codes x0 and x1 of a sample and the index i of the output to `code`, unclamped; `id`: the layer's identifier. */
  readonly lines: (id: string) => readonly string[];
  readonly clamp: readonly [lo: number, hi: number];
}

type Writer = (call: TensorCall) => ValueInC;

const paramsOf = (call: TensorCall) => [...call.inputs, call.output].map(quantized);
const pair = ({ multiplier, exponent }: FixedPointMultiplier) => `${multiplier}, ${exponent}`;

/** `x1[i]`, or through a table of places where an operand is repeated. */
function operand(call: TensorCall, input: number) {
  const [own, size] = [call.inputs[input].shape.dims, sizeOf(call.output.shape.dims)];
  const index = broadcastIndex(own, call.output.shape.dims);
  const values = sizeOf(own) === size ? null : Int32Array.from({ length: size }, (_, i) => index(i));
  return {
    arrays: values ? [{ name: `place_${input}`, values }] : [],
    code: (id: string) => (values ? `x${input}[${id}_place_${input}[i]]` : `x${input}[i]`),
  };
}

/** Two operands, centred: a and b. */
function ofTwo(call: TensorCall, clamp: ValueInC['clamp'], lines: readonly string[]): ValueInC {
  const [a, b] = [operand(call, 0), operand(call, 1)];
  const [za, zb] = paramsOf(call).map(({ zeroPoint }) => zeroPoint);
  return {
    arrays: [...a.arrays, ...b.arrays],
    lines: (id) => [`  int64_t a = ${a.code(id)} - (${za}), b = ${b.code(id)} - (${zb});`, ...lines],
    clamp,
  };
}

const sum =
  (sign: 1 | -1): Writer =>
  (call) => {
    const params = paramsOf(call);
    const [sa, sb, sy] = params.map(scaleOf);
    const twice = f32(2 * Math.max(sa, sb));
    const [ma, mb] = [sa, sb].map((scale) => quantizeMultiplier(scale / twice));
    const output = quantizeMultiplier(twice / f32(2 ** 20 * sy));
    const operation = sign === 1 ? '+' : '-';
    return ofTwo(call, clampOf(call, 'reference'), [
      `  int64_t u = by_multiplier(a * 1048576, ${pair(ma)}) ${operation} by_multiplier(b * 1048576, ${pair(mb)});`,
      `  code = by_multiplier(wrap32(u), ${pair(output)}) + (${params[2].zeroPoint});`,
    ]);
  };

const sumXnnpack =
  (sign: 1 | -1): Writer =>
  (call) => {
    const params = paramsOf(call);
    const [sa, sb, sy] = params.map(scaleOf);
    const [ra, rb] = [f32(sa / sy), f32(sb / sy)];
    const shift = 21 - frexp(Math.max(ra, rb)).exponent;
    const [ma, mb] = [roundHalfEven(ra * 2 ** shift), sign * roundHalfEven(rb * 2 ** shift)];
    return ofTwo(call, clampOf(call, 'xnnpack'), [
      `  code = saturate16(floor_shift(${2 ** (shift - 1)} + a * ${ma} + b * (${mb}), ${shift})) + (${params[2].zeroPoint});`,
    ]);
  };

const product =
  (real: typeof doubles): Writer =>
  (call) => {
    const params = paramsOf(call);
    const multiplier = quantizeMultiplier(realOf(real, params));
    return ofTwo(call, clampOf(call, 'reference'), [
      `  code = by_multiplier(a * b, ${pair(multiplier)}) + (${params[2].zeroPoint});`,
    ]);
  };

/** Each place of the output covers a list of the input's: starts[p] .. starts[p + 1] of `covered`. */
function overPlaces(call: TensorCall, covers: readonly Cover[], clamp: ValueInC['clamp'], each: string, last: string) {
  const { shape } = imageOf(call);
  const [channels, from] = [channelsOf(shape), positionsOf(shape)];
  const isLast = shape.channelAxis === shape.dims.length - 1;
  const starts = [0];
  for (const { places } of covers) starts.push(starts.at(-1)! + places.length);
  const at = isLast
    ? [`  int p = i / ${channels}, c = i % ${channels};`, `covered[k] * ${channels} + c`]
    : [`  int p = i % ${covers.length}, c = i / ${covers.length};`, `c * ${from} + covered[k]`];
  return {
    arrays: [
      { name: 'starts', values: starts },
      { name: 'covered', values: covers.flatMap(({ places }) => [...places]) },
    ],
    lines: (id: string) => [
      at[0],
      `  const int32_t *covered = ${id}_covered;`,
      `  int n = ${id}_starts[p + 1] - ${id}_starts[p];`,
      `  for (int k = ${id}_starts[p]; k < ${id}_starts[p + 1]; k++) { int64_t q = x0[${at[1]}]; ${each} }`,
      `  ${last}`,
    ],
    clamp,
  };
}

const coversOf = (call: TensorCall) =>
  windowCovers((call.attributes as PoolAttributes).window, placesOf(imageOf(call).shape));

const average: Writer = (call) =>
  overPlaces(
    call,
    coversOf(call),
    clampOf(call, 'reference'),
    'code += q;',
    'code = (code + (code > 0 ? n / 2 : -(n / 2))) / n;',
  );

const maximum =
  (runtime: Runtime): Writer =>
  (call) => {
    const { quantMin } = quantized(call.inputs[0]);
    const each = 'if (q + 1000 > code) code = q + 1000;'; // codes are above -1000
    return overPlaces(call, coversOf(call), clampOf(call, runtime), each, `code = n > 0 ? code - 1000 : ${quantMin};`);
  };

const mean: Writer = (call) => {
  const [{ shape }] = call.inputs;
  const [input, output] = paramsOf(call);
  const { count, first, step } = reducedAxes(
    shape.dims,
    checkedAxes(axesOf((call.attributes as ReduceAttributes).dim, shape)),
  );
  const { multiplier, exponent } = quantizeMultiplier(scaleOf(input) / scaleOf(output));
  const bits = Math.min(31 - Math.clz32(count), 32, 31 + exponent);
  const own = { multiplier: floor((multiplier * 2 ** bits) / count), exponent: exponent - bits };
  return {
    arrays: [
      { name: 'first', values: first },
      { name: 'step', values: step },
    ],
    lines: (id) => [
      `  for (int k = 0; k < ${count}; k++) code += x0[${id}_first[i] + ${id}_step[k]];`,
      `  code = by_multiplier(wrap32(code - (${input.zeroPoint * count})), ${pair(own)}) + (${output.zeroPoint});`,
    ],
    clamp: [output.quantMin, output.quantMax],
  };
};

/** An output for each code of the input. */
const table =
  (steps: OpSteps): Writer =>
  (call) => {
    const [{ quantMin }, output] = paramsOf(call);
    const data = Int32Array.from({ length: 256 }, (_, i) => i + quantMin);
    const shape = { dims: [256], channelAxis: 0 };
    const inputs = [{ ...call.inputs[0], data, shape }];
    if (steps.kind !== 'tensor') throw new Error('a table is of an op on whole values');
    const values = steps.run({ ...call, inputs, output: { ...call.output, shape } }) as Int32Array;
    return {
      arrays: [{ name: 'table', values }],
      lines: (id) => [`  code = ${id}_table[x0[i] - (${quantMin})];`],
      clamp: [output.quantMin, output.quantMax],
    };
  };

const TABLES = [referenceOps, builtinOps, microOps, delegateTensors].flatMap((ops) =>
  [ops.sigmoid, ops.tanh, ops.leaky_relu, ops.hardswish].filter((steps) => steps !== undefined),
);

const WRITERS: ReadonlyMap<OpSteps, Writer> = new Map<OpSteps, Writer>([
  [referenceOps.add, sum(1)],
  [referenceOps.sub, sum(-1)],
  [delegateTensors.add, sumXnnpack(1)],
  [delegateTensors.sub, sumXnnpack(-1)],
  [referenceOps.mul, product(float32Quotient)],
  [microOps.mul, product(doubles)],
  [referenceOps.avg_pool2d, average],
  [referenceOps.max_pool2d, maximum('reference')],
  [delegateTensors.max_pool2d, maximum('xnnpack')],
  [referenceOps.mean, mean],
  ...[...TABLES, leakyReluNegativeMultiplier].map((steps) => [steps, table(steps)] as const),
]);

/** Null: no such form is written. */
export function valueInC(steps: OpSteps | null, call: TensorCall): ValueInC | null {
  const areBytes = [...call.inputs, call.output].every(({ params }) => /^u?int8$/.test(params.dtype));
  return (areBytes && steps && WRITERS.get(steps)?.(call)) || null;
}
