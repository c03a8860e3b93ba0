/** C of what TFLite's runtimes compute from whole values of 8 bits or 16, in integers alone: one code of the output at a time. */

import { quantized } from '../kernels/steps/call.js';
import { imageOf, poolCovers } from '../kernels/steps/pool.js';
import { leakyReluNegativeMultiplier } from '../kernels/steps/tflite/activations.js';
import { isBroadcastInt16, isOfPowers } from '../kernels/steps/tflite/add.js';
import { clampOf, type Runtime, scaleOf } from '../kernels/steps/tflite/common.js';
import { matmulRuy, matmulXnnpackWithoutZeroPoint } from '../kernels/steps/tflite/matmul.js';
import { doubles, float32Product, float32Quotient, realOf } from '../kernels/steps/tflite/multiply.js';
import { adaptivePoolCovers } from '../kernels/steps/tflite/pool.js';
import { imageMeanOf, meanXnnpackAway, sumXnnpackAway } from '../kernels/steps/tflite/reduce.js';
import { LOGISTIC, TANH } from '../kernels/steps/tflite/tables16.js';
import { builtinOps, delegateTensors, microOps, referenceOps } from '../kernels/tflite.js';
import type { ReduceAttributes, SlopeAttributes } from '../nouns/attributes.js';
import type { OpSteps, TensorCall } from '../nouns/kernel.js';
import type { FixedPointMultiplier } from '../nouns/written.js';
import { int32s } from '../numeric/array.js';
import { quantizeMultiplier } from '../numeric/fixedPoint.js';
import { f32, frexp } from '../numeric/float.js';
import { floor, roundHalfEven } from '../numeric/round.js';
import { axesOf, checkedAxes } from '../tensor/axes.js';
import { broadcastIndex } from '../tensor/broadcast.js';
import type { Covers } from '../tensor/covers.js';
import { reducedAxes } from '../tensor/reduced.js';
import { channelsOf, positionsOf, sizeOf } from '../tensor/shape.js';
import { function16InC } from './inC/functions16.js';
import { matmulInC, matmulXnnpackInC } from './inC/matmul.js';
import { resizeInC } from './inC/resize.js';
import { softmaxBuiltinInC, softmaxInC } from './inC/softmax.js';
import { floatText, pair, paramsOf, type ValueInC, type Writer } from './inC/writer.js';

/** `x1[i]`, or through a table of places where an operand is repeated. */
function operand(call: TensorCall, input: number) {
  const [own, size] = [call.inputs[input].shape.dims, sizeOf(call.output.shape.dims)];
  const index = broadcastIndex(own, call.output.shape.dims);
  const values = sizeOf(own) === size ? null : int32s({ length: size }, (_, i) => index(i));
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

/** int16 of scales that are powers of two: each operand by its own shift. */
function sumByShifts(call: TensorCall, operation: string): ValueInC {
  const params = paramsOf(call);
  const [ea, eb, ey] = params.map(({ scale }) => frexp(f32(scale)).exponent);
  const [a, b] = [`shift_right_half_away(a, ${ey - ea})`, `shift_right_half_away(b, ${ey - eb})`];
  const code = `  code = saturate16(${a} ${operation} ${b}) + (${params[2].zeroPoint});`;
  return ofTwo(call, clampOf(call, 'reference'), [code]);
}

/** vectors: how an operand is scaled in blocks of so many values; null: there are none. */
const sum =
  (sign: 1 | -1, vectors: ((call: TensorCall) => Vectors | null) | null = null): Writer =>
  (call) => {
    const params = paramsOf(call);
    const operation = sign === 1 ? '+' : '-';
    // where a value stands in its call decides: calls of one sample have one form
    if (vectors && call.ofCall !== 1) return null;
    if (isOfPowers({ call, params })) return sumByShifts(call, operation);
    const left = params[2].dtype === 'int16' ? 15 : 20;
    const [sa, sb, sy] = params.map(scaleOf);
    const twice = f32(2 * Math.max(sa, sb));
    const [ma, mb] = [sa, sb].map((scale) => quantizeMultiplier(scale / twice));
    const output = quantizeMultiplier(twice / f32(2 ** left * sy));
    const own = vectors?.(call) ?? null;
    const scaled = (x: string, m: FixedPointMultiplier) => `by_multiplier(${x} * ${2 ** left}, ${pair(m)})`;
    const both = `${scaled('a', ma)} ${operation} ${scaled('b', mb)}`;
    const inBlocks = own && `i < ${own.end} ? ${own.operand('a', left, ma)} + ${own.operand('b', left, mb)} : `;
    return ofTwo(call, clampOf(call, 'reference'), [
      `  int64_t u = ${inBlocks ?? ''}${both};`,
      `  code = by_multiplier(wrap32(u), ${pair(output)}) + (${params[2].zeroPoint});`,
    ]);
  };

interface Vectors {
  /** Values of a call before it are computed in vectors. */
  readonly end: number;
  operand(x: string, left: number, multiplier: FixedPointMultiplier): string;
}

/** Of the builtin kernels: int8 and int16 shift first, uint8 cuts off what its shift leaves. */
function sumVectors(call: TensorCall): Vectors | null {
  if (isBroadcastInt16(call)) return null;
  const isBytes = quantized(call.output).dtype === 'uint8';
  const width = isBytes ? 8 : 16;
  const end = Math.floor(sizeOf(call.output.shape.dims) / width) * width;
  const high = (x: string, m: number) => `high_product(${x}, ${m}, 32)`;
  return {
    end,
    operand(x, left, { multiplier, exponent }) {
      if (isBytes) return `floor_shift(${high(`${x} * ${2 ** left}`, multiplier)}, ${-exponent})`;
      const shift = left + exponent;
      return high(shift >= 0 ? `${x} * ${2 ** shift}` : `floor_shift(${x}, ${-shift})`, multiplier);
    },
  };
}

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

const productXnnpack: Writer = (call) => {
  const params = paramsOf(call);
  const scaled = `to_integer(multiply(rounded(a * b, 0), ${floatText(realOf(float32Quotient, params))}))`;
  return ofTwo(call, clampOf(call, 'xnnpack'), [`  code = ${scaled} + (${params[2].zeroPoint});`]);
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
function overPlaces(call: TensorCall, covers: Covers, clamp: ValueInC['clamp'], each: string, last: string) {
  const { shape } = imageOf(call);
  const [channels, from] = [channelsOf(shape), positionsOf(shape)];
  const isLast = shape.channelAxis === shape.dims.length - 1;
  const starts = [0];
  const covered: number[] = [];
  for (let p = 0; p < covers.count; p++) starts.push(covered.push(...covers.at(p).places));
  const at = isLast
    ? [`  int p = i / ${channels}, c = i % ${channels};`, `covered[k] * ${channels} + c`]
    : [`  int p = i % ${covers.count}, c = i / ${covers.count};`, `c * ${from} + covered[k]`];
  return {
    arrays: [
      { name: 'starts', values: starts },
      { name: 'covered', values: covered },
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

const average =
  (coversOf: (call: TensorCall) => Covers): Writer =>
  (call) =>
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
    const each = 'if (q + 65536 > code) code = q + 65536;'; // codes are above -65536
    return overPlaces(
      call,
      poolCovers(call),
      clampOf(call, runtime),
      each,
      `code = n > 0 ? code - 65536 : ${quantMin};`,
    );
  };

/** code: of the sum of raw codes, which is in `code`. */
function ofSums(call: TensorCall, code: (count: number) => string): ValueInC {
  const [{ shape }] = call.inputs;
  const output = quantized(call.output);
  const { count, first, step } = reducedAxes(
    shape.dims,
    checkedAxes(axesOf((call.attributes as ReduceAttributes).dim, shape)),
  );
  return {
    arrays: [
      { name: 'first', values: first },
      { name: 'step', values: step },
    ],
    lines: (id) => [
      `  for (int k = 0; k < ${count}; k++) code += x0[${id}_first[i] + ${id}_step[k]];`,
      `  code = ${code(count)};`,
    ],
    clamp: [output.quantMin, output.quantMax],
  };
}

const mean: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const { multiplier, exponent } = quantizeMultiplier(scaleOf(input) / scaleOf(output));
  return ofSums(call, (count) => {
    const bits = Math.min(31 - Math.clz32(count), 32, 31 + exponent);
    const own = { multiplier: floor((multiplier * 2 ** bits) / count), exponent: exponent - bits };
    return `by_multiplier(wrap32(code - (${input.zeroPoint * count})), ${pair(own)}) + (${output.zeroPoint})`;
  });
};

const meanBuiltin: Writer = (call) => {
  const own = imageMeanOf(call);
  if (!own) return mean(call);
  const scaled = (name: string) => `${name}(wrap32(code), ${pair(own.multiplier)})`;
  const written = ofSums(call, () => {
    const vector = `is_vector[i % ${own.isVector.length}] ? ${scaled('by_multiplier_up')} : ${scaled('by_multiplier')}`;
    return `(${vector}) + (${own.bias})`;
  });
  return {
    ...written,
    arrays: [...written.arrays, { name: 'is_vector', values: own.isVector.map(Number) }],
    lines: (id) => [`  const int32_t *is_vector = ${id}_is_vector;`, ...written.lines(id)],
  };
};

const total: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const own = pair(quantizeMultiplier(scaleOf(input) / scaleOf(output)));
  return ofSums(
    call,
    (count) => `by_multiplier(wrap32(code - (${input.zeroPoint * count})), ${own}) + (${output.zeroPoint})`,
  );
};

/** XNNPACK's: in float32, the zero point before the rounding. */
const reducedXnnpack =
  (isMean: boolean, round: 'to_integer' | 'to_away'): Writer =>
  (call) => {
    const [input, output] = paramsOf(call);
    const ratio = f32(scaleOf(input) / scaleOf(output));
    return ofSums(call, (count) => {
      const multiplier = isMean ? f32(ratio * f32(1 / f32(count))) : ratio;
      const offset = f32(f32(output.zeroPoint) - f32(f32(count * input.zeroPoint) * multiplier));
      return `${round}(add(multiply(rounded(code, 0), ${floatText(multiplier)}), ${floatText(offset)}))`;
    });
  };

/** The builtin kernels' sums: in float32, the zero point behind the rounding. */
const totalBuiltin: Writer = (call) => {
  const [input, output] = paramsOf(call);
  const ratio = f32(scaleOf(input) / scaleOf(output));
  return ofSums(call, (count) => {
    const offset = f32(f32(f32(-input.zeroPoint) * ratio) * f32(count));
    const scaled = `add(multiply(rounded(code, 0), ${floatText(ratio)}), ${floatText(offset)})`;
    return `to_away(${scaled}) + (${output.zeroPoint})`;
  });
};

/** int16: each code by the multiplier of its sign. */
const leaky =
  (isMicro: boolean, isInside: boolean): Writer =>
  (call) => {
    const [input, output] = paramsOf(call);
    const slope = f32((call.attributes as SlopeAttributes).negativeSlope);
    const [x, y] = [scaleOf(input), scaleOf(output)];
    const [same, sloped] = isMicro ? [x / y, doubles(x, slope, y)] : [f32(x / y), float32Quotient(x, slope, y)];
    const magnitude = quantizeMultiplier(Math.abs(sloped));
    const inside = isInside && slope < 0;
    const own = inside ? { ...magnitude, multiplier: -magnitude.multiplier } : magnitude;
    const below = `${slope < 0 && !inside ? '-' : ''}by_multiplier(d, ${pair(own)})`;
    return {
      arrays: [],
      lines: () => [
        `  int64_t d = x0[i] - (${input.zeroPoint});`,
        `  code = (d >= 0 ? by_multiplier(d, ${pair(quantizeMultiplier(same))}) : ${below}) + (${output.zeroPoint});`,
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

/** A table of bytes; of int16 the other. */
const byWidth =
  (bytes: Writer, wide: Writer): Writer =>
  (call) =>
    (quantized(call.inputs[0]).dtype === 'int16' ? wide : bytes)(call);

const tableOr = (steps: OpSteps | undefined, wide: Writer): readonly [OpSteps, Writer] => [
  steps!,
  byWidth(table(steps!), wide),
];

const NONE: Writer = () => null;

const WRITERS: ReadonlyMap<OpSteps, Writer> = new Map<OpSteps, Writer>([
  [referenceOps.add, sum(1)],
  [referenceOps.sub, sum(-1)],
  [builtinOps.add, sum(1, sumVectors)],
  [delegateTensors.add, sumXnnpack(1)],
  [delegateTensors.sub, sumXnnpack(-1)],
  [referenceOps.mul, product(float32Quotient)],
  [microOps.mul, product(doubles)],
  [delegateTensors.mul, productXnnpack],
  [referenceOps.matmul, matmulInC(float32Product)],
  [microOps.matmul, matmulInC(doubles)],
  [matmulRuy, matmulInC(float32Product, 'by_multiplier_up')],
  [delegateTensors.matmul, matmulXnnpackInC(false)],
  [matmulXnnpackWithoutZeroPoint, matmulXnnpackInC(true)],
  [referenceOps.avg_pool2d, average(poolCovers)],
  [referenceOps.adaptive_avg_pool2d, average(adaptivePoolCovers)],
  [referenceOps.max_pool2d, maximum('reference')],
  [delegateTensors.max_pool2d, maximum('xnnpack')],
  [referenceOps.mean, mean],
  [builtinOps.mean, meanBuiltin],
  [delegateTensors.mean, reducedXnnpack(true, 'to_integer')],
  [meanXnnpackAway, reducedXnnpack(true, 'to_away')],
  [microOps.sum, total],
  [builtinOps.sum, totalBuiltin],
  [delegateTensors.sum, reducedXnnpack(false, 'to_integer')],
  [sumXnnpackAway, reducedXnnpack(false, 'to_away')],
  [referenceOps.softmax, softmaxInC(false)],
  [microOps.softmax, softmaxInC(true)],
  [builtinOps.softmax, softmaxBuiltinInC],
  [referenceOps.interpolate, resizeInC('integers')],
  [builtinOps.interpolate, resizeInC('integers')],
  [microOps.interpolate, resizeInC('integers')],
  [delegateTensors.interpolate, resizeInC('xnnpack')],
  ...[referenceOps, microOps].flatMap(({ sigmoid, tanh }) => [
    tableOr(sigmoid, function16InC(LOGISTIC, false)),
    tableOr(tanh, function16InC(TANH, false)),
  ]),
  tableOr(builtinOps.sigmoid, function16InC(LOGISTIC, true)),
  tableOr(builtinOps.tanh, function16InC(TANH, true)),
  tableOr(delegateTensors.sigmoid, NONE),
  tableOr(delegateTensors.tanh, NONE),
  tableOr(referenceOps.leaky_relu, leaky(false, false)),
  tableOr(builtinOps.leaky_relu, leaky(false, true)),
  tableOr(microOps.leaky_relu, leaky(true, false)),
  tableOr(leakyReluNegativeMultiplier, leaky(false, true)),
  tableOr(delegateTensors.leaky_relu, NONE),
  tableOr(referenceOps.hardswish, NONE),
]);

/** Null: no such form is written. */
export function valueInC(steps: OpSteps | null, call: TensorCall): ValueInC | null {
  const areCodes = [...call.inputs, call.output].every(({ params }) => /^(u?int8|int16)$/.test(params.dtype));
  return (areCodes && steps && WRITERS.get(steps)?.(call)) || null;
}
