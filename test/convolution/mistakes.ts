/** What people write into a convolution by hand, and the cause that it is. */

import { int32BiasFloat64, noBias } from '../../src/kernels/steps/bias.js';
import { roundThenOffset } from '../../src/kernels/steps/offsetAndClamp.js';
import { downward, halfAway, halfUp, towardZero } from '../../src/kernels/steps/round.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { indicesOf, sizeOf } from '../../src/tensor/shape.js';
import {
  type Change,
  channelsOfGroup,
  type Form,
  isFused,
  isTransposed,
  outputDims,
  outputsOf,
} from '../support/anyConvolution.js';

const every = <T>(value: T, axes: number): T[] => new Array<T>(axes).fill(value);
const padded = (ends: number, axes: number): [number, number][] => every([ends, ends], axes);

/** Axes: how many places have. */
function form(
  op: string,
  channels: number,
  outputs: number,
  size: readonly number[],
  kernel: number,
  more: Partial<Form> = {},
): Form {
  const axes = size.length;
  const groups = more.groups ?? 1;
  const weight = op.includes('transpose') ? [channels, outputs / groups] : [outputs, channels / groups];
  return {
    op,
    input: [channels, ...size],
    weight: [...weight, ...every(kernel, axes)],
    stride: every(1, axes),
    padding: padded(Math.floor(kernel / 2), axes),
    dilation: every(1, axes),
    groups,
    ...more,
  };
}

export const FORMS: Readonly<Record<string, Form>> = {
  conv1d: form('conv1d', 4, 6, [17], 3),
  'conv1d strided': form('conv1d', 4, 6, [19], 5, { stride: [2] }),
  conv2d: form('conv2d', 4, 6, [7, 6], 3),
  'conv2d channels last': form('conv2d', 4, 6, [7, 6], 3, { layout: 'NHWC' }),
  'conv2d strided': form('conv2d', 3, 6, [9, 8], 3, { stride: [2, 2] }),
  'conv2d dilated': form('conv2d', 3, 6, [9, 9], 3, { dilation: [2, 2], padding: padded(2, 2) }),
  'conv2d grouped': form('conv2d', 8, 12, [6, 6], 3, { groups: 2 }),
  'conv2d depthwise': form('conv2d', 8, 8, [7, 7], 3, { groups: 8 }),
  'conv2d depthwise, two a channel': form('conv2d', 6, 12, [7, 7], 3, { groups: 6 }),
  conv3d: form('conv3d', 2, 5, [4, 5, 4], 3),
  'conv2d with weight zero points': form('conv2d', 4, 8, [9, 8], 3, { weightZeroPoints: true }),
  'conv2d grouped with weight zero points': form('conv2d', 8, 12, [6, 6], 3, { groups: 2, weightZeroPoints: true }),
  conv2d_add: form('conv2d_add', 4, 6, [7, 6], 3),
  'conv2d_add grouped': form('conv2d_add', 8, 12, [6, 6], 3, { groups: 2 }),
  'conv2d with hardswish': form('conv2d', 4, 6, [7, 6], 3, { curve: 'hardswish' }),
  'conv2d with silu': form('conv2d', 4, 6, [7, 6], 3, { curve: 'silu' }),
  conv_transpose1d: form('conv_transpose1d', 4, 6, [9], 3, { stride: [2] }),
  conv_transpose2d: form('conv_transpose2d', 4, 6, [5, 4], 3, { stride: [2, 2] }),
  'conv_transpose2d grouped': form('conv_transpose2d', 6, 6, [5, 4], 3, { stride: [2, 2], groups: 2 }),
  conv_transpose3d: form('conv_transpose3d', 2, 4, [3, 3, 3], 3, { stride: [2, 2, 2] }),
};

/** Of floats, whose codes the layer makes. */
export const DYNAMIC_FORMS: Readonly<Record<string, Form>> = Object.fromEntries(
  Object.entries(FORMS)
    .filter(([, own]) => !own.op.endsWith('_add') && !own.curve)
    .map(([name, own]) => [`${name}, dynamic`, { ...own, op: `${own.op}_dynamic` }]),
);

export interface Mistake {
  readonly name: string;
  readonly cause: string;
  /** Null: it is none there. */
  readonly change: (form: Form) => Change | null;
  /** It shows where steps of the output are not far above those of the sums. */
  readonly coarse?: true;
  /** What it changes; two of one kind are no pair. */
  readonly part: string;
}

const flip = (f: Form, axes: (axis: number) => boolean): Change => ({
  weight: ({ n, c, tap }, own) =>
    own(
      n,
      c,
      tap.map((k, axis) => (axes(axis) ? f.weight[axis + 2] - 1 - k : k)),
    ),
});

/** Whether a tap of a transposed convolution lies beyond the first or last input of an axis, spread out by the stride. */
const isBeyond = (
  { input, stride, padding, dilation }: Form,
  { tap, out }: { tap: readonly number[]; out: readonly number[] },
) =>
  input.slice(1).some((size, axis) => {
    const at = out[axis] + padding[axis][0] - tap[axis] * dilation[axis];
    return at < 0 || at > (size - 1) * stride[axis];
  });

const isDynamic = (f: Form) => f.op.endsWith('_dynamic');

const hasLargeSums = (f: Form) => sizeOf(f.weight) / outputsOf(f) >= 36 && !isTransposed(f) && !f.weightZeroPoints;

// new rows come last: the place of a row seeds its layer
export const MISTAKES: readonly Mistake[] = [
  { name: 'padded with code 0', part: 'padding', cause: 'padding-value', change: () => ({ fill: 0 }) },
  { name: 'padded with code 128', part: 'padding', cause: 'padding-value', change: () => ({ fill: 128 }) },
  {
    name: 'padded one place later',
    part: 'window',
    cause: 'padding-place',
    change: (f) => ({ window: { padding: f.padding.map(([b, a], axis) => (axis === 0 ? [b - 1, a + 1] : [b, a])) } }),
  },
  {
    name: 'no stride',
    part: 'window',
    cause: 'stride-wrong',
    change: (f) => (f.stride[0] > 1 && !isTransposed(f) ? { window: { stride: f.stride.map(() => 1) } } : null),
  },
  {
    name: 'no dilation',
    part: 'window',
    cause: 'dilation-wrong',
    change: (f) => (f.dilation[0] > 1 ? { window: { dilation: f.dilation.map(() => 1) } } : null),
  },
  {
    name: 'every group reads the first',
    part: 'channels',
    cause: 'groups-wrong',
    change: (f) => (f.groups > 1 ? { channel: ({ c }) => c } : null),
  },
  {
    name: 'inputs in turns',
    part: 'channels',
    cause: 'groups-wrong',
    change: (f) =>
      f.groups > 1 && channelsOfGroup(f) > 1 ? { channel: ({ c, group }) => c * f.groups + group } : null,
  },
  { name: 'kernel flipped', part: 'weight', cause: 'k-order', change: (f) => flip(f, () => true) },
  {
    name: 'kernel flipped along the last axis',
    part: 'weight',
    cause: 'k-order',
    change: (f) => (f.weight.length > 3 ? flip(f, (axis) => axis === f.weight.length - 3) : null),
  },
  {
    name: 'rows for columns',
    part: 'weight',
    cause: 'k-order',
    change: (f) =>
      f.weight.length > 3
        ? { weight: ({ n, c, tap }, own) => own(n, c, [...tap.slice(0, -2), tap.at(-1)!, tap.at(-2)!]) }
        : null,
  },
  {
    name: 'channels from last to first',
    part: 'weight',
    cause: 'k-order',
    change: (f) =>
      channelsOfGroup(f) > 1 ? { weight: ({ n, c, tap }, own) => own(n, channelsOfGroup(f) - 1 - c, tap) } : null,
  },
  {
    name: 'OIHW memory read as OHWI',
    part: 'weight',
    cause: 'k-order',
    change: (f) => {
      if (isTransposed(f) || channelsOfGroup(f) === 1) return null;
      const kernel = f.weight.slice(2);
      const [inputs, taps] = [f.weight[1], sizeOf(kernel)];
      return {
        weight: ({ n, c, tap }, own) => {
          const place = tap.reduce((index, k, axis) => index * kernel[axis] + k, 0) * inputs + c;
          const index = place % taps;
          const cells = kernel.map((_, axis) => sizeOf(kernel.slice(axis + 1)));
          return own(
            n,
            Math.floor(place / taps),
            kernel.map((size, axis) => Math.floor(index / cells[axis]) % size),
          );
        },
      };
    },
  },
  {
    name: 'weights as uint8',
    part: 'weight',
    cause: 'signedness',
    change: () => ({ weight: ({ n, c, tap }, own) => own(n, c, tap) & 255 }),
  },
  {
    name: 'activations as int8',
    part: 'codes',
    cause: 'signedness',
    change: () => ({ code: (code) => (code << 24) >> 24 }),
  },
  {
    name: 'no zero point of activations',
    part: 'codes',
    cause: 'activation-zero-point-missing',
    change: () => ({ zeroPoint: 0 }),
  },
  {
    name: 'halves away from zero',
    part: 'round',
    coarse: true,
    cause: 'rounding-half-away',
    change: (f) => (isFused(f) ? null : { steps: { round: halfAway } }), // the zero point first: away from zero is up
  },
  {
    name: 'halves up',
    part: 'round',
    coarse: true,
    cause: 'rounding-half-up',
    change: (f) => (f.curve ? null : { steps: { round: halfUp } }), // a curve leaves no ties
  },
  {
    name: 'toward zero',
    part: 'round',
    cause: 'rounding-truncate',
    change: (f) => (isFused(f) ? null : { steps: { round: towardZero } }), // the zero point first: down
  },
  { name: 'down', part: 'round', cause: 'rounding-floor', change: () => ({ steps: { round: downward } }) },
  { name: 'no bias', part: 'bias', cause: 'bias-missing', change: () => ({ steps: { bias: noBias } }) },
  {
    name: 'int32 bias',
    part: 'bias',
    coarse: true,
    cause: 'bias-int32',
    change: () => ({ steps: { bias: int32BiasFloat64 } }),
  },
  {
    name: 'biases shifted by one',
    part: 'bias',
    cause: 'bias-shifted',
    change: () => ({ product: ({ bias }) => ({ bias: bias!.map((_, n) => bias![(n + 1) % bias!.length]) }) }),
  },
  {
    name: 'biases doubled',
    part: 'bias',
    cause: 'bias-factor',
    change: () => ({ product: ({ bias }) => ({ bias: bias!.map((b) => 2 * b) }) }),
  },
  {
    name: 'no zero points of weights',
    part: 'weight zero points',
    cause: 'weight-zero-point-missing',
    change: (f) => (f.weightZeroPoints ? { withoutWeightZeroPoints: true } : null),
  },
  {
    name: 'the first scale for all channels',
    part: 'scales',
    cause: 'scale-per-tensor',
    change: (f) =>
      isTransposed(f)
        ? null
        : { product: ({ weightScale }) => ({ weightScale: weightScale.map(() => weightScale[0]) }) },
  },
  {
    name: 'scales shifted by one',
    part: 'scales',
    cause: 'scale-shifted',
    change: (f) =>
      isTransposed(f)
        ? null
        : { product: ({ weightScale: s }) => ({ weightScale: s.map((_, n) => s[(n + 1) % s.length]) }) },
  },
  {
    name: 'no zero point of what is added',
    part: 'added',
    cause: 'activation-zero-point-missing',
    change: (f) =>
      f.op.endsWith('_add') ? { product: ({ addend }) => ({ addend: { ...addend!, zeroPoint: 0 } }) } : null,
  },
  {
    name: 'another scale of what is added',
    part: 'added',
    cause: 'input-scale-wrong',
    change: (f) =>
      f.op.endsWith('_add')
        ? {
            product: ({ addend }) => ({
              addend: { ...(addend as QuantParams), scale: Math.fround((addend as QuantParams).scale * 1.3) },
            }),
          }
        : null,
  },
  {
    name: 'what is added as int8',
    part: 'added',
    cause: 'signedness',
    change: (f) => (f.op.endsWith('_add') ? { added: (code) => (code << 24) >> 24 } : null),
  },
  {
    name: 'int8 range',
    part: 'clamp',
    cause: 'clamp-range',
    change: () => ({ stored: (code) => Math.min(code, 127) }),
  },
  {
    name: 'OIHW memory read as IOHW',
    part: 'weight',
    cause: 'k-order',
    change: (f) => {
      const [outputs, inputs] = f.weight;
      if (isTransposed(f) || inputs === 1 || inputs === outputs) return null;
      return {
        weight: ({ n, c, tap }, own) => {
          const place = c * outputs + n;
          return own(Math.floor(place / inputs), place % inputs, tap);
        },
      };
    },
  },
  {
    name: 'products without their low 4 bits',
    part: 'sums',
    cause: 'product-rounded',
    change: (f) => (isFused(f) ? null : { multiplied: (product) => (product >> 4) << 4 }),
  },
  {
    name: 'sums of 16 bits',
    part: 'sums',
    cause: 'accumulator-wraps',
    // others do not leave them
    change: (f) => (isFused(f) || !hasLargeSums(f) ? null : { summed: (sum) => (sum << 16) >> 16 }),
  },
  {
    name: 'another output scale',
    part: 'output',
    cause: 'output-scale-wrong',
    change: () => ({
      product: ({ output }) => ({ output: { ...(output as QuantParams), scale: 1.3 * (output as QuantParams).scale } }),
    }),
  },
  {
    name: 'another zero point of the output',
    part: 'output',
    cause: 'output-zero-point-wrong',
    change: () => ({ product: ({ output }) => ({ output: { ...(output as QuantParams), zeroPoint: 118 } }) }),
  },
  {
    name: 'another scale of one channel',
    part: 'scales',
    cause: 'weight-scale-wrong',
    change: (f) =>
      isTransposed(f)
        ? null
        : { product: ({ weightScale }) => ({ weightScale: weightScale.map((s, n) => (n === 1 ? 1.2 * s : s)) }) },
  },
  {
    name: 'another bias of one channel',
    part: 'bias',
    cause: 'bias-value',
    change: () => ({ product: ({ bias }) => ({ bias: bias!.map((b, n) => (n === 2 ? b + 0.5 : b)) }) }),
  },
  {
    name: 'another weight',
    part: 'weight',
    cause: 'weight-value',
    change: () => ({
      weight: ({ n, c, tap }, own) => own(n, c, tap) + (n === 1 && c === 0 && tap.every((k) => k === 1) ? 32 : 0),
    }),
  },
  {
    name: 'the low 8 bits of a code',
    part: 'clamp',
    cause: 'output-wraps',
    // smaller patches leave no range
    change: (f) =>
      !hasLargeSums(f)
        ? null
        : {
            product: ({ output }) => ({
              output: { ...(output as QuantParams), quantMin: -(2 ** 20), quantMax: 2 ** 20 },
            }),
            steps: { offsetAndClamp: roundThenOffset },
            stored: (code) => code & 255,
          },
  },
  {
    name: 'channels one further',
    part: 'weight',
    cause: 'k-order',
    change: (f) =>
      channelsOfGroup(f) > 2 // of two the last is the first
        ? { weight: ({ n, c, tap }, own) => own(n, (c + 1) % channelsOfGroup(f), tap) }
        : null,
  },
  {
    name: 'the middle code for a zero point',
    part: 'codes',
    cause: 'input-zero-point-wrong',
    change: () => ({ zeroPoint: 128 }),
  },
  {
    name: 'no products of the last tap',
    part: 'weight',
    cause: 'k-order',
    change: (f) => {
      const last = f.weight.slice(2).map((size) => size - 1);
      if (isTransposed(f) || f.weightZeroPoints) return null;
      return { weight: ({ n, c, tap }, own) => (tap.join() === last.join() ? 0 : own(n, c, tap)) };
    },
  },
  {
    name: 'sums that go on from place to place',
    part: 'sums',
    cause: 'accumulator-not-cleared',
    change: (f) => {
      const places = sizeOf(outputDims(f));
      let held = 0;
      const goOn = (sum: number, i: number) => {
        held = (i % places === 0 ? 0 : held) + sum;
        return held;
      };
      return isFused(f) ? null : { summed: goOn };
    },
  },
  {
    name: 'the sum of the channel before',
    part: 'sums',
    cause: 'accumulator-not-cleared',
    change: (f) => {
      const [places, outputs] = [sizeOf(outputDims(f)), outputsOf(f)];
      const before: number[] = [];
      const withBefore = (sum: number, i: number) => {
        before[i] = sum;
        return sum + (Math.floor(i / places) % outputs === 0 ? 0 : before[i - places]);
      };
      return isFused(f) ? null : { summed: withBefore };
    },
  },
  {
    name: 'the weight before, channel by channel',
    part: 'weight',
    cause: 'k-order',
    change: (f) => {
      const [, , ...kernel] = f.weight;
      const taps = sizeOf(kernel);
      if (isTransposed(f) || isFused(f) || isDynamic(f)) return null;
      const weight: Change['weight'] = ({ n, c, tap }, own) => {
        const place = tap.reduce((index, k, axis) => index * kernel[axis] + k, c);
        const [channel, rest] = [Math.floor(Math.max(0, place - 1) / taps), Math.max(0, place - 1) % taps];
        return own(n, channel, indicesOf(rest, kernel));
      };
      return { weight };
    },
  },
  {
    name: 'the first product twice',
    part: 'weight',
    cause: 'k-order',
    change: (f) =>
      isTransposed(f) || isFused(f) || isDynamic(f) || f.weightZeroPoints
        ? null
        : {
            weight: ({ n, c, tap }, own) => own(n, c, tap) * (c === 0 && tap.every((k) => k === 0) ? 2 : 1),
          },
  },
  ...(
    [
      ['turned to the left', (y, x, last) => [x, last - y]],
      ['turned to the right', (y, x, last) => [last - x, y]],
      ['flipped, rows for columns', (y, x, last) => [last - x, last - y]],
    ] satisfies [name: string, turn: (y: number, x: number, last: number) => number[]][]
  ).map(
    ([name, turn]): Mistake => ({
      name: `kernel ${name}`,
      part: 'weight',
      cause: 'k-order',
      change: (f) =>
        f.weight.length > 3
          ? {
              weight: ({ n, c, tap }, own) =>
                own(n, c, [...tap.slice(0, -2), ...turn(tap.at(-2)!, tap.at(-1)!, f.weight.at(-1)! - 1)]),
            }
          : null,
    }),
  ),
  {
    name: 'gaps with code 0',
    part: 'padding',
    cause: 'padding-value',
    change: (f) => (isTransposed(f) && !isDynamic(f) ? { fill: (at, form) => (isBeyond(form, at) ? null : 0) } : null),
  },
  {
    name: 'edges with code 0',
    part: 'padding',
    cause: 'padding-value',
    change: (f) => (isTransposed(f) && !isDynamic(f) ? { fill: (at, form) => (isBeyond(form, at) ? 0 : null) } : null),
  },
  {
    name: 'product 3 of each 4 not added',
    part: 'weight',
    cause: 'k-order',
    change: (f) => {
      if (isTransposed(f) || isFused(f) || isDynamic(f) || f.weightZeroPoints) return null;
      const [, channels, ...kernel] = f.weight;
      const tapOf = (tap: readonly number[]) => tap.reduce((at, k, axis) => at * kernel[axis] + k, 0);
      return { weight: ({ n, c, tap }, own) => ((tapOf(tap) * channels + c) % 4 === 3 ? 0 : own(n, c, tap)) };
    },
  },
];
