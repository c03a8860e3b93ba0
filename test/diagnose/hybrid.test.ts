/** TFLite's hybrid layers: floats whose rows, or images, are each made int8 codes by the layer itself; by loops, with mistakes. */
import { expect, test } from 'vitest';
import { type Alone, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const f32 = Math.fround;
const random = randomFrom(22);
const list = <T>(length: number, of: (i: number) => T) => Array.from({ length }, (_, i) => of(i));
const away = (v: number) => Math.sign(v) * Math.floor(Math.abs(v) + 0.5);

interface Mistake {
  /** Of all rows of a call. */
  readonly together?: true;
  readonly symmetric?: true;
  readonly round?: (steps: number) => number;
  /** In place of the zero point that is subtracted. */
  readonly zeroPoint?: (zeroPoint: number) => number;
  readonly code?: (code: number) => number;
  /** What padding holds. */
  readonly padding?: (zeroPoint: number) => number;
  readonly bias?: (b: number, n: number) => number;
  readonly weight?: (n: number, k: number) => number;
}

/** What a row, or an image, is multiplied as. */
function quantized(values: Float32Array, { symmetric, round = away }: Mistake) {
  const [min, max] = [Math.min(0, ...values), Math.max(0, ...values)];
  const most = Math.max(-min, max);
  const scale = symmetric ? f32(most / 127) : f32(f32(max - min) / 255);
  const isFromMin = Math.abs(min / scale) + 128 < Math.abs(max / scale) + 127;
  const zeroPoint = symmetric ? 0 : away(isFromMin ? -128 - min / scale : 127 - max / scale);
  const perUnit = symmetric ? f32(127 / most) : f32(1 / scale);
  return {
    scale,
    zeroPoint,
    codeOf: (x: number) => Math.max(-128, Math.min(127, round(f32(x * perUnit)) + zeroPoint)),
  };
}

// ---------------------------------------------------------------- a matrix: each row by itself

const [ROWS, INPUTS, OUTPUTS] = [24, 20, 10];
const weight = list(OUTPUTS, () => list(INPUTS, () => random.integer(-127, 127)));
const weightScale = f32(0.011);
const bias = list(OUTPUTS, () => f32(random.normal() * 0.3));
const rowsIn = Float32Array.from({ length: ROWS * INPUTS }, (_, i) => {
  return f32((random.normal() + 0.4) * (1 + (Math.floor(i / INPUTS) % 5)));
});

const MATRIX: Alone = {
  producer: { framework: 'litert', kernel: 'tflite-reference' },
  inputs: { x: { dtype: 'float32', shape: [INPUTS] } },
  layer: {
    op: 'linear_dynamic',
    reduce_range: false,
    weight,
    weight_scale: weightScale,
    bias,
    bias_dtype: 'float32',
    output: { dtype: 'float32' },
  },
  values: { x: rowsIn },
  samples: ROWS,
};

function matrix(mistake: Mistake = {}): Float32Array {
  const { zeroPoint: other = (z: number) => z, code = (q: number) => q, bias: biasOf = (b: number) => b } = mistake;
  const weightOf = mistake.weight ?? ((n: number, k: number) => weight[n][k]);
  return Float32Array.from({ length: ROWS * OUTPUTS }, (_, i) => {
    const [row, n] = [Math.floor(i / OUTPUTS) * INPUTS, i % OUTPUTS];
    const own = rowsIn.subarray(row, row + INPUTS);
    const { scale, zeroPoint, codeOf } = quantized(mistake.together ? rowsIn : own, mistake);
    let sum = 0;
    for (let k = 0; k < INPUTS; k++) sum += (code(codeOf(own[k])) - other(zeroPoint)) * weightOf(n, k);
    return f32(f32(f32(sum) * f32(scale * weightScale)) + f32(biasOf(bias[n], n)));
  });
}

test('a right implementation is equal', async () => {
  expect(await diagnosisOf(MATRIX, matrix())).toBeNull();
});

test.each<[what: string, code: string, mistake: Mistake, found?: object]>([
  [
    'without a zero point',
    'activation-range',
    { symmetric: true },
    { declared: { codes: [-128, 127], grain: 'row' }, found: { codes: [-127, 127], grain: 'row' } },
  ],
  [
    'with one range for all rows',
    'activation-range',
    { together: true },
    { found: { codes: [-128, 127], grain: 'batch' } },
  ],
  ['that rounds its input down', 'rounding-floor', { round: Math.floor }],
  ['that leaves the zero point in', 'activation-zero-point-missing', { zeroPoint: () => 0 }],
  ['that adds the zero point', 'input-zero-point-wrong', { zeroPoint: (z) => -z }, { multiplied: '(x + zx)' }],
  ['that reads its codes as uint8', 'signedness', { code: (q) => q & 255 }, { declared: 'int8', read_as: 'uint8' }],
  ['without the bias', 'bias-missing', { bias: () => 0 }],
  ['with the bias of the next channel', 'bias-shifted', { bias: (_, n) => bias[(n + 1) % OUTPUTS] }],
  [
    'with the bias times the scale of the weights',
    'bias-unscaled',
    { bias: (b) => f32(b * weightScale) },
    { times: 's_w' },
  ],
  ['with [in, out] memory read as [out, in]', 'k-order', { weight: (n, k) => weight.flat()[k * OUTPUTS + n] ?? 0 }],
])('a matrix %s: %s', async (_, code, mistake, found = {}) => {
  expect(await diagnosisOf(MATRIX, matrix(mistake))).toMatchObject({
    causes: [code],
    lost: 0,
    evidence: { [code]: found },
  });
});

test('one range for all rows of all calls', async () => {
  const own = { ...MATRIX, calls: [8, ROWS - 8] };
  expect(await diagnosisOf(own, matrix({ together: true }))).toMatchObject({
    causes: ['activation-range'],
    evidence: { 'activation-range': { found: { grain: 'all' } } },
    lost: 0,
  });
});

test('a matrix whose rows stay floats', async () => {
  const inFloat = Float32Array.from({ length: ROWS * OUTPUTS }, (_, i) => {
    const [row, n] = [Math.floor(i / OUTPUTS) * INPUTS, i % OUTPUTS];
    let sum = 0;
    for (let k = 0; k < INPUTS; k++) sum = f32(sum + f32(rowsIn[row + k] * f32(weight[n][k] * weightScale)));
    return f32(sum + bias[n]);
  });
  expect(await diagnosisOf(MATRIX, inFloat)).toMatchObject({
    causes: ['float-arithmetic'],
    evidence: { 'float-arithmetic': { input: 'float' } },
    lost: 0,
  });
  inFloat[7] *= 1 + 2 ** -12;
  expect(await diagnosisOf(MATRIX, inFloat)).toMatchObject({ causes: ['unexplained'] });
});

test('a range without a zero point where the file asks for none', async () => {
  const own = { ...MATRIX, layer: { ...MATRIX.layer, asymmetric_quantize_inputs: false } };
  expect(await diagnosisOf(own, matrix({ symmetric: true }))).toBeNull();
  expect(await diagnosisOf(own, matrix())).toMatchObject({ causes: ['activation-range'], lost: 0 });
  const cut = await diagnosisOf(own, matrix({ symmetric: true, round: Math.trunc }));
  expect(cut).toMatchObject({ causes: ['rounding-truncate'], lost: 0 });
});

// ---------------------------------------------------------------- a convolution: each image by itself

const [IMAGES, CHANNELS, SIDE, MAPS] = [3, 2, 6, 5];
const kernels = list(MAPS, () => list(CHANNELS, () => list(3, () => list(3, () => random.integer(-127, 127)))));
const scales = list(MAPS, () => f32(0.004 + 0.006 * random.uniform()));
const biases = list(MAPS, () => f32(random.normal() * 0.3));
const images = Float32Array.from({ length: IMAGES * CHANNELS * SIDE * SIDE }, (_, i) => {
  return f32((random.normal() + 0.5) * (1 + Math.floor(i / (CHANNELS * SIDE * SIDE))));
});

const CONVOLUTION: Alone = {
  ...MATRIX,
  inputs: { x: { dtype: 'float32', shape: [CHANNELS, SIDE, SIDE] } },
  layer: {
    op: 'conv2d_dynamic',
    weight: kernels,
    weight_scale: scales,
    bias: biases,
    bias_dtype: 'float32',
    padding: [1, 1],
    output: { dtype: 'float32' },
  },
  values: { x: images },
  samples: IMAGES,
};

function convolution(mistake: Mistake = {}): Float32Array {
  const { zeroPoint: other = (z: number) => z, padding = (z: number) => z } = mistake;
  const each = CHANNELS * SIDE * SIDE;
  return Float32Array.from({ length: IMAGES * MAPS * SIDE * SIDE }, (_, i) => {
    const [ox, oy] = [i % SIDE, Math.floor(i / SIDE) % SIDE];
    const [n, image] = [Math.floor(i / SIDE ** 2) % MAPS, Math.floor(i / (MAPS * SIDE ** 2)) * each];
    const own = images.subarray(image, image + each);
    const { scale, zeroPoint, codeOf } = quantized(mistake.together ? images : own, mistake);
    let sum = 0;
    for (let c = 0; c < CHANNELS; c++)
      for (let ky = 0; ky < 3; ky++)
        for (let kx = 0; kx < 3; kx++) {
          const [y, x] = [oy + ky - 1, ox + kx - 1];
          const isInside = y >= 0 && x >= 0 && y < SIDE && x < SIDE;
          const code = isInside ? codeOf(own[(c * SIDE + y) * SIDE + x]) : padding(zeroPoint);
          sum += (code - other(zeroPoint)) * kernels[n][c][ky][kx];
        }
    return f32(f32(f32(f32(sum) * scales[n]) * scale) + biases[n]);
  });
}

test.each<[what: string, code: string | null, mistake: Mistake]>([
  ['as TFLite does it', null, {}],
  ['padded with code 0', 'padding-value', { padding: () => 0 }],
  ['without a zero point', 'activation-range', { symmetric: true }],
  ['with one range for all images', 'activation-range', { together: true }],
  [
    'that leaves the zero point in, padded with 0',
    'activation-zero-point-missing',
    { zeroPoint: () => 0, padding: () => 0 },
  ],
])('a convolution %s: %s', async (_, code, mistake) => {
  const diagnosis = await diagnosisOf(CONVOLUTION, convolution(mistake));
  if (code === null) expect(diagnosis).toBeNull();
  else expect(diagnosis).toMatchObject({ causes: [code], lost: 0 });
});
