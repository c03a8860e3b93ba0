/** Firmware that scales whole values by an int32 multiplier and a shift, and rounds in another way than the kernel; means over code 0. */
import type { NumericArray } from '../../src/nouns/array.js';
import { roundHalfAway } from '../../src/numeric/round.js';
import { SAMPLES, type TensorScene } from './tensorScenes.js';

const uint8 = (scale: number, zero_point: number) => ({ dtype: 'uint8' as const, scale, zero_point });
const [A, B, OUTPUT] = [uint8(0.0313, 101), uint8(0.0217, 90), uint8(0.0871, 121)];
/** Of which products are scaled by a little less than 2^-6. */
const NEAR_A_POWER = uint8((0.0313 * 0.0217 * 2 ** 6) / 0.9978, 121);
const SHAPE = [40, 20];
const producer = { framework: 'litert', kernel: 'xnnpack' };
const code = (v: number) => Math.min(255, Math.max(0, v));

type Rounded = (v: number, real: number) => number;

/** (v * m + 2^30) >> 31, then a shift with a rounding of its own. */
function scaled(last: (high: number, shift: number) => number): Rounded {
  return (v, real) => {
    const shift = -Math.floor(Math.log2(real)) - 1;
    const multiplier = Math.floor(real * 2 ** (31 + shift) + 0.5);
    const high = Number((BigInt(v) * BigInt(multiplier) + (1n << 30n)) >> 31n);
    return last(high, shift);
  };
}

const halvesUp = scaled((high, shift) => Math.floor(high / 2 ** shift + 0.5));
const halvesAway = scaled((high, shift) => roundHalfAway(high / 2 ** shift));
const shifted = scaled((high, shift) => Math.floor(high / 2 ** shift));

type Named = Pick<TensorScene, 'code' | 'what' | 'also'>;
type Both = (x: number, z: number, index: number) => number;

function scene(named: Named, op: 'add' | 'mul', of: Both, Y = OUTPUT): TensorScene {
  const inputs = [A, B].map((own) => ({ ...own, shape: SHAPE }));
  const wrong = ([x, z]: readonly NumericArray[]) =>
    Array.from(x, (q, i) => code(of(q - A.zero_point, z[i] - B.zero_point, i) + Y.zero_point));
  return { ...named, producer, layer: { op, input: ['x0', 'x1'], output: Y }, inputs, output: SHAPE, wrong };
}

const [a, b] = [A, B].map(({ scale }) => Math.fround(scale) / Math.fround(OUTPUT.scale));
const product =
  (round: Rounded): Both =>
  (x, z) =>
    round(x * z, Math.fround(Math.fround(Math.fround(A.scale) * Math.fround(B.scale)) / Math.fround(OUTPUT.scale)));
const each =
  (round: Rounded): Both =>
  (x, z) =>
    round(x, a) + round(z, b);

/** (x * z) >> 5 in 11 bits, times what is left of the multiplier. */
const fewerBits = product((v, real) => Math.round(Math.floor(v / 32) * 32 * real));
const inFull = product((v, real) => Math.round(v * real));

const [CHANNELS, SIZE, KERNEL, PLACES] = [3, 9, 3, 5];

const byNine = (sum: number) => Math.floor((sum + 4) / KERNEL ** 2);
/** Of centred codes, whose border adds nothing. */
const centred = (divided: (sum: number) => number) => (sum: number) =>
  code(divided(sum - KERNEL ** 2 * A.zero_point) + A.zero_point);

/** Windows of 3 with stride 2, filled up with a code; every: in each of so many planes. */
function means(named: Named, filled: number, every = 1, mean = byNine): TensorScene {
  const wrong: TensorScene['wrong'] = ([x], right) =>
    Array.from({ length: SAMPLES * CHANNELS * PLACES ** 2 }, (_, i) => {
      const plane = Math.floor(i / PLACES ** 2);
      if (plane % every > 0) return right[i];
      const at = (y: number, z: number) =>
        Math.min(y, z) < 0 || Math.max(y, z) >= SIZE ? filled : x[plane * SIZE ** 2 + y * SIZE + z];
      let sum = 0;
      for (let k = 0; k < KERNEL ** 2; k++) {
        const [row, column] = [Math.floor(i / PLACES) % PLACES, i % PLACES];
        sum += at(2 * row - 1 + Math.floor(k / KERNEL), 2 * column - 1 + (k % KERNEL));
      }
      return mean(sum);
    });
  const layer = {
    op: 'avg_pool2d',
    input: ['x0'],
    kernel_size: KERNEL,
    stride: 2,
    padding: 1,
    count_include_pad: false,
  };
  const inputs = [{ ...A, shape: [CHANNELS, SIZE, SIZE] }];
  const runtime = { framework: 'litert', kernel: 'tflite-reference' };
  return { ...named, producer: runtime, layer, inputs, output: [CHANNELS, PLACES, PLACES], wrong };
}

export const RAISED: readonly TensorScene[] = [
  scene({ code: 'fixed-point-multiplier', what: 'a product, rounded half up twice' }, 'mul', product(halvesUp)),
  scene({ code: 'rounding-floor', what: 'a product, shifted after its first rounding' }, 'mul', product(shifted)),
  scene({ code: 'product-rounded', what: 'each term in fixed point, not shifted left first' }, 'add', each(halvesAway)),
  scene({ code: 'product-rounded', what: 'each term shifted after its first rounding' }, 'add', each(shifted)),
  scene({ code: 'product-rounded', what: 'a product shifted before it is scaled' }, 'mul', fewerBits),
  means({ code: 'pool-divisor', what: 'means of windows filled up with code 0' }, 0),
  ...(
    [
      ['shifted right by 3 in place of each count', (sum) => sum >> 3],
      ['shifted right by 3 with a half added', (sum) => (sum + 4) >> 3],
      ['divided by 9 in C', (sum) => Math.trunc(sum / 9)],
    ] as [string, (sum: number) => number][]
  ).map(([what, divided]) =>
    means({ code: 'pool-divisor', what: `sums of windows ${what}` }, A.zero_point, 1, centred(divided)),
  ),
  scene(
    { code: 'multiplier-short', what: 'a multiplier that saturates at 127', also: ['output-scale-wrong'] },
    'mul',
    (x, z) => Math.floor((x * z * 127) / 2 ** 13 + 0.5),
    NEAR_A_POWER,
  ),
];

export const NEARLY: readonly TensorScene[] = [
  scene({ code: 'fixed-point-multiplier', what: 'a product rounded so, every ninth otherwise' }, 'mul', (x, z, i) =>
    product(i % 9 === 0 ? shifted : halvesUp)(x, z, i),
  ),
  scene({ code: 'product-rounded', what: 'every ninth term shifted' }, 'add', (x, z, i) =>
    each(i % 9 === 0 ? shifted : halvesAway)(x, z, i),
  ),
  scene({ code: 'product-rounded', what: 'every second product shifted' }, 'mul', (x, z, i) =>
    (i % 2 === 0 ? fewerBits : inFull)(x, z, i),
  ),
  means({ code: 'pool-divisor', what: 'means of windows filled up with code 7' }, 7),
  means({ code: 'pool-divisor', what: 'every second plane is filled up' }, 0, 2),
];
