/** Convolutions against plain loops: every geometry, layout and grouping, on a kernel with exact sums. */
import fc from 'fast-check';
import { expect, it } from 'vitest';
import { numpy } from '../../src/kernels/numpy.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import { InputError } from '../../src/nouns/problem.js';
import { ReplaySession } from '../../src/replay/session.js';
import { validateModel } from '../../src/validate/model.js';

interface Case {
  readonly size: readonly number[];
  readonly kernel: readonly number[];
  readonly stride: number;
  readonly dilation: number;
  readonly before: number;
  readonly after: number;
  readonly groups: number;
  readonly inEach: number;
  readonly outEach: number;
  readonly transposed: boolean;
  readonly layout: 'NCHW' | 'NHWC';
  readonly seed: number;
}

const cases: fc.Arbitrary<Case> = fc.integer({ min: 1, max: 3 }).chain((rank) =>
  fc.record({
    size: fc.array(fc.integer({ min: 2, max: 5 }), { minLength: rank, maxLength: rank }),
    kernel: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: rank, maxLength: rank }),
    stride: fc.integer({ min: 1, max: 2 }),
    dilation: fc.integer({ min: 1, max: 2 }),
    before: fc.nat({ max: 1 }),
    after: fc.nat({ max: 1 }),
    groups: fc.integer({ min: 1, max: 3 }),
    inEach: fc.integer({ min: 1, max: 3 }),
    outEach: fc.integer({ min: 1, max: 3 }),
    transposed: fc.boolean(),
    layout: fc.constantFrom('NCHW' as const, 'NHWC' as const),
    seed: fc.nat(),
  }),
);

const [SAMPLES, ZERO_POINT] = [2, 7];

/** The same numbers for the same seed. */
function codes(count: number, seed: number, lo: number, hi: number): number[] {
  let state = seed >>> 0;
  return Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return lo + (state % (hi - lo + 1));
  });
}

function nested(values: readonly number[], shape: readonly number[]): unknown {
  if (shape.length === 1) return values;
  const each = values.length / shape[0];
  return Array.from({ length: shape[0] }, (_, i) => nested(values.slice(i * each, (i + 1) * each), shape.slice(1)));
}

const product = (dims: readonly number[]) => dims.reduce((a, b) => a * b, 1);
const unflat = (flat: number, dims: readonly number[]) =>
  dims.map((dim, i) => Math.floor(flat / product(dims.slice(i + 1))) % dim);
const flatten = (at: readonly number[], dims: readonly number[]) =>
  at.reduce((flat, index, i) => flat * dims[i] + index, 0);

function built(c: Case) {
  const rank = c.size.length;
  const [IC, OC] = [c.groups * c.inEach, c.groups * c.outEach];
  const weightShape = c.transposed ? [IC, c.outEach, ...c.kernel] : [OC, c.inEach, ...c.kernel];
  const weight = codes(product(weightShape), c.seed, -128, 127);
  const x = codes(SAMPLES * IC * product(c.size), c.seed + 1, 0, 255);
  const shape = c.layout === 'NCHW' ? [IC, ...c.size] : [...c.size, IC];
  const raw = {
    format: 'qdiff-model',
    version: 1,
    layout: c.layout,
    inputs: [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: ZERO_POINT, shape }],
    layers: [
      {
        name: 'y',
        op: `${c.transposed ? 'conv_transpose' : 'conv'}${rank}d`,
        input: 'x',
        weight: nested(weight, weightShape),
        weight_scale: 1,
        stride: c.stride,
        dilation: new Array(rank).fill(c.dilation),
        padding: new Array(rank).fill([c.before, c.after]),
        groups: c.groups,
        output: { dtype: 'int32', scale: 1, zero_point: 0 },
      },
    ],
  };
  return { raw, x, shape, weight, weightShape, IC, OC };
}

/** Scatters each input over the outputs that read it, or gathers: whichever the name says, in plain loops. */
function expected(
  c: Case,
  { x, weight, weightShape, IC, OC }: ReturnType<typeof built>,
  outSize: readonly number[],
): number[] {
  const y = new Array<number>(SAMPLES * OC * product(outSize)).fill(0);
  const xAt = (n: number, ch: number, at: readonly number[]) =>
    x[
      c.layout === 'NCHW'
        ? flatten([n, ch, ...at], [SAMPLES, IC, ...c.size])
        : flatten([n, ...at, ch], [SAMPLES, ...c.size, IC])
    ];
  for (let n = 0; n < SAMPLES; n++) {
    for (let oc = 0; oc < OC; oc++) {
      const group = Math.floor(oc / c.outEach);
      for (let i = 0; i < c.inEach; i++) {
        const ic = group * c.inEach + i;
        for (let place = 0; place < product(c.size); place++) {
          const at = unflat(place, c.size);
          for (let tap = 0; tap < product(c.kernel); tap++) {
            const k = unflat(tap, c.kernel);
            const o = at.map((index, axis) =>
              c.transposed
                ? index * c.stride - c.before + k[axis] * c.dilation
                : (index + c.before - k[axis] * c.dilation) / c.stride,
            );
            if (!o.every((index, axis) => Number.isInteger(index) && index >= 0 && index < outSize[axis])) continue;
            const w = c.transposed ? [ic, oc % c.outEach, ...k] : [oc, i, ...k];
            const to = c.layout === 'NCHW' ? [n, oc, ...o] : [n, ...o, oc];
            const dims = c.layout === 'NCHW' ? [SAMPLES, OC, ...outSize] : [SAMPLES, ...outSize, OC];
            y[flatten(to, dims)] += (xAt(n, ic, at) - ZERO_POINT) * weight[flatten(w, weightShape)];
          }
        }
      }
    }
  }
  return y;
}

async function replayed(raw: object, x: readonly number[]) {
  const model = await validateModel(raw, 'model.json', 'none');
  const shape = model.shapes!.get('x')!;
  const features = product(shape.dims);
  const data = Uint8Array.from(x);
  const read = async (from: number, to: number) => data.subarray(from * features, to * features);
  const value: CapturedValue = { samples: SAMPLES, features, shape, dtype: 'uint8', read };
  const capture: Capture = {
    path: 'capture.npz',
    samples: SAMPLES,
    values: new Map([['x', value]]),
    shapes: model.shapes!,
    batchSizes: [SAMPLES],
    warnings: [],
  };
  const run = await new ReplaySession(model, capture, numpy, 'isolated').open(model.layers[0]);
  return { data: [...(await run.replay(0, SAMPLES)).data], shape: run.ready.shapes.output };
}

it('gives what plain loops give', async () => {
  await fc.assert(
    fc.asyncProperty(cases, async (c) => {
      const made = built(c);
      const output = await replayed(made.raw, made.x).catch((error) => {
        // a geometry without an output, or padding beyond the kernel
        if (error instanceof InputError) return null;
        throw error;
      });
      fc.pre(output !== null);
      const outSize = output!.shape.dims.filter((_, axis) => axis !== output!.shape.channelAxis);
      expect(output!.data).toEqual(expected(c, made, outSize));
    }),
    { seed: 16, numRuns: 300 },
  );
});

const conv = (fields: object, input: object = { shape: [4, 8, 8] }, top: object = {}) =>
  validateModel(
    {
      format: 'qdiff-model',
      version: 1,
      ...top,
      inputs: [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: 0, ...input }],
      layers: [
        {
          name: 'y',
          op: 'conv2d',
          input: 'x',
          weight: nested(new Array(6 * 4 * 9).fill(1), [6, 4, 3, 3]),
          weight_scale: 1,
          output: { dtype: 'uint8', scale: 1, zero_point: 0 },
          ...fields,
        },
      ],
    },
    'm.json',
    'none',
  ).then(
    () => [],
    (error: InputError) => error.problems.map(({ where, message }) => `${where}: ${message}`),
  );

it.each([
  ['stride 0', { stride: 0 }, {}, {}, 'm.json layers[0].stride: expected a whole number from 1 on, got 0'],
  [
    'padding beyond the kernel',
    { padding: [1, 4] },
    {},
    {},
    'm.json layers[0].padding: expected at most 3, what the kernel covers of dimension 1, got 4',
  ],
  [
    'a list of another length',
    { dilation: [1, 1, 1] },
    {},
    {},
    'm.json layers[0].dilation: expected 2 values, one a dimension of the kernel, got 3',
  ],
  [
    'groups that do not divide',
    { groups: 4 },
    {},
    {},
    'm.json layers[0].weight: expected out_channels that groups divide, got (6, 4, 3, 3); groups 4 do not divide 6, 3 would',
  ],
  [
    'padding below 0',
    { padding: [-1, 0] },
    {},
    {},
    'm.json layers[0].padding[0]: expected a whole number from 0 on, got -1',
  ],
  [
    'groups that contradict the input',
    { groups: 2 },
    { shape: [4, 9, 9] },
    {},
    'm.json layers[0]: expected 8 input channels (in_channels/groups 4 of the weight, groups 2), got x of shape [4, 9, 9]; groups 1 would fit',
  ],
  [
    'an input that no groups fit',
    {},
    { shape: [3, 9, 9] },
    {},
    'm.json layers[0]: expected 4 input channels (in_channels/groups 4 of the weight, groups 1), got x of shape [3, 9, 9]; weights of in_channels/groups 3 would fit',
  ],
  [
    'channels last under NCHW',
    {},
    { shape: [8, 8, 4] },
    {},
    'm.json layers[0]: expected 4 input channels (in_channels/groups 4 of the weight, groups 1), got x of shape [8, 8, 4]; if its channels are last, say "layout": "NHWC", or groups 2 would fit',
  ],
  [
    'channels first under NHWC',
    {},
    {},
    { layout: 'NHWC' },
    'm.json layers[0]: expected 4 input channels (in_channels/groups 4 of the weight, groups 1), got x of shape [4, 8, 8]; if its channels are first, say "layout": "NCHW", or groups 2 would fit',
  ],
  [
    'a kernel larger than the padded input',
    { dilation: 4 },
    {},
    {},
    'm.json layers[0]: expected a kernel that fits the padded input [8, 8], got one that reaches [9, 9] (x of shape [4, 8, 8])',
  ],
  [
    'an output of another size',
    { shape: [6, 8, 8] },
    {},
    {},
    'm.json layers[0]: expected shape [6, 6, 6] (conv2d of x [4, 8, 8]), got [6, 8, 8]; padding 1 would fit',
  ],
  [
    'an output of half the size',
    { padding: 1, shape: [6, 4, 8] },
    {},
    {},
    'm.json layers[0]: expected shape [6, 8, 8] (conv2d of x [4, 8, 8]), got [6, 4, 8]; stride [2, 1] or dilation [3, 1] would fit',
  ],
  [
    'an output that uneven padding gives',
    { shape: [6, 7, 7] },
    {},
    {},
    'm.json layers[0]: expected shape [6, 6, 6] (conv2d of x [4, 8, 8]), got [6, 7, 7]; padding [[0, 1], [0, 1]] would fit',
  ],
  [
    'an output that no one field gives',
    { shape: [6, 40, 40] },
    {},
    {},
    'm.json layers[0]: expected shape [6, 6, 6] (conv2d of x [4, 8, 8]), got [6, 40, 40]',
  ],
  [
    'an output that a transposed layer has twice as large',
    {
      op: 'conv_transpose2d',
      weight: nested(new Array(4 * 6 * 9).fill(1), [4, 6, 3, 3]),
      padding: 1,
      shape: [6, 16, 16],
    },
    {},
    {},
    'm.json layers[0]: expected shape [6, 8, 8] (conv_transpose2d of x [4, 8, 8]), got [6, 16, 16]; stride 2 with output_padding 1 would fit',
  ],
  [
    'a bias of another length',
    { bias: [1, 2, 3, 4] },
    {},
    {},
    'm.json layers[0].bias: expected 6 values (out_channels of y), got 4',
  ],
  [
    'groups of a transposed layer that contradict its channels',
    { op: 'conv_transpose2d', groups: 2, bias: [1, 2, 3, 4] },
    {},
    {},
    'm.json layers[0].bias: expected 8 values (out_channels of y: 2 groups of 4), got 4',
  ],
  [
    'a weight with too few axes',
    { weight: [[1, 2]] },
    {},
    {},
    'm.json layers[0].weight: expected lists of integers [out_channels][in_channels/groups][kernel_h][kernel_w] or {"array": KEY}, got a list that begins with [1, 2]',
  ],
  [
    'weights stored channels last',
    { weight: Array.from({ length: 6 }, () => [1, 2, 3].map(() => [1, 2, 3].map(() => [1, 2, 3, 4]))) },
    {},
    {},
    'm.json layers[0]: expected 3 input channels (in_channels/groups 3 of the weight, groups 1), got x of shape [4, 8, 8]; if they are stored [out, ...kernel, in], transpose them to [out, in, ...kernel]',
  ],
  [
    'padding that is no zeros',
    { padding_mode: 'circular' },
    {},
    {},
    'm.json layers[0].padding_mode: expected "zeros" (other modes are a pad layer before it, and padding 0 here), got "circular"',
  ],
  [
    'more added to a transposed output than a stride',
    { op: 'conv_transpose2d', output_padding: [1, 0] },
    {},
    {},
    'm.json layers[0].output_padding: expected at most 0, less than stride or dilation of dimension 0, got 1',
  ],
  [
    'codes under a dynamic one',
    { op: 'conv2d_dynamic', output: { dtype: 'float32' } },
    {},
    {},
    'm.json layers[0].input: expected a float32 value, got x, which is uint8; it quantizes its own input; use op "conv2d" on codes',
  ],
])('refuses %s', async (_, fields, input, top, problem) => {
  expect(await conv(fields, { shape: [4, 8, 8], ...input }, top)).toEqual([problem]);
});
