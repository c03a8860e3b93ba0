import { beforeAll, expect, it, test } from 'vitest';
import { webAssembly } from '../../src/accelerate/accelerator.js';
import type { Accelerator, Codes, Gathered } from '../../src/nouns/kernel.js';
import { replayProduct } from '../../src/replay/product.js';
import { rowsOf } from '../support/gathered.js';
import { linearSteps } from '../support/steps.js';
import { type CodesDtype, caseOf, fillings, stepsWithForm } from './cases.js';
import { amongLeftovers } from './leftovers.js';
import { EXACT, moduleWith } from './meaning.js';

amongLeftovers();

/** A 2-d convolution over a padded image [samples, channels, height, width]: its patches are the rows. */
interface Geometry {
  readonly name: string;
  readonly samples: number;
  readonly channels: number;
  readonly size: readonly [height: number, width: number];
  readonly kernel: readonly [height: number, width: number];
  readonly stride: number;
  readonly dilation: number;
}

const plain = { samples: 2, channels: 3, size: [9, 11], kernel: [3, 3], stride: 1, dilation: 1 } as const;
const geometries: readonly Geometry[] = [
  { name: 'neighbouring patches', ...plain },
  { name: 'every second cell', ...plain, stride: 2 },
  { name: 'every second cell, four to a line', ...plain, size: [9, 9], stride: 2 },
  { name: 'every second cell, a long patch', ...plain, channels: 150, size: [5, 18], stride: 2 },
  { name: 'a patch of two chunks of bytes', ...plain, samples: 1, channels: 250, size: [4, 9] },
  { name: 'every third cell', ...plain, size: [9, 14], stride: 3 },
  { name: 'holes in the patch', ...plain, dilation: 2 },
  { name: 'one cell of each channel', ...plain, channels: 17, kernel: [1, 1] },
  { name: 'one row is one patch', ...plain, samples: 5, size: [3, 3] },
  { name: 'one row in all', ...plain, samples: 1, size: [3, 3] },
  { name: 'four to a line', ...plain, size: [6, 6] },
  { name: 'a long patch', ...plain, channels: 150, size: [4, 6] },
  { name: 'one dimension', ...plain, size: [1, 70], kernel: [1, 5] },
];

function patches({ samples, channels, size: [height, width], kernel, stride, dilation }: Geometry) {
  const base: number[] = [];
  const offset: number[] = [];
  const lines = Math.floor((height - dilation * (kernel[0] - 1) - 1) / stride) + 1;
  const cells = Math.floor((width - dilation * (kernel[1] - 1) - 1) / stride) + 1;
  for (let n = 0; n < samples; n++) {
    for (let y = 0; y < lines; y++) {
      for (let x = 0; x < cells; x++) base.push((n * channels * height + y * stride) * width + x * stride);
    }
  }
  for (let c = 0; c < channels; c++) {
    for (let y = 0; y < kernel[0]; y++) {
      for (let x = 0; x < kernel[1]; x++) offset.push((c * height + y * dilation) * width + x * dilation);
    }
  }
  return { cells: samples * channels * height * width, base: Int32Array.from(base), offset: Int32Array.from(offset) };
}

function layerOf(geometry: Geometry, dtype: CodesDtype, outFeatures = 9) {
  const { cells, base, offset } = patches(geometry);
  const zeroPoint = { x: 3, w: (n: number) => (n % 5) - 2 };
  const inFeatures = offset.length;
  const { linear } = caseOf({ rows: 1, channels: outFeatures, inFeatures }, fillings[0], dtype, zeroPoint);
  const { data } = caseOf({ rows: 1, channels: 1, inFeatures: cells }, fillings[0], dtype).x;
  const x: Gathered = { data, base, offset };
  return { linear, x };
}

let accelerators: readonly (readonly [name: string, fast: Accelerator])[] = [];

beforeAll(async () => {
  const relaxedModule = await moduleWith(EXACT);
  const settings = { threads: 1, worthStarting: 0, worthProving: 0 };
  accelerators = [
    ['portable', webAssembly({ ...settings, portable: true })],
    ['bytes', webAssembly({ ...settings, relaxedModule })],
  ];
});

test.each(geometries)('$name: sums are those of its rows', (geometry) => {
  for (const dtype of ['uint8', 'int8', 'int32'] as const) {
    const { linear, x } = layerOf(geometry, dtype);
    const rows = rowsOf(x);
    expect(new Set(rows.data).size).toBeGreaterThan(8);
    for (const step of stepsWithForm) {
      const readable = step.run(rows, linear).data;
      for (const [name, fast] of accelerators) {
        const found = fast.accumulate(step.form!(linear)!, x, linear);
        expect([name, dtype, step.name, found?.join()]).toEqual([name, dtype, step.name, readable.join()]);
      }
    }
  }
});

it('copies rows as the table says', () => {
  const x: Gathered = {
    data: Uint8Array.of(1, 2, 3, 4, 5, 6),
    base: Int32Array.of(0, 1, 3),
    offset: Int32Array.of(0, 2),
  };
  const expected: Codes = { rows: 3, cols: 2, data: Uint8Array.of(1, 3, 2, 4, 4, 6) };
  expect(rowsOf(x)).toEqual(expected);
});

it('gives codes, and cuts many patches into blocks', () => {
  const geometry = {
    name: '',
    samples: 3,
    channels: 64,
    size: [98, 98],
    kernel: [3, 3],
    stride: 1,
    dilation: 1,
  } as const;
  const { linear, x } = layerOf(geometry, 'uint8', 8);
  const fbgemm = linearSteps('fbgemm');
  const scaled = { ...linear, output: { ...linear.output, scale: 0.5, zeroPoint: 128 } as typeof linear.output };
  const rows = rowsOf(x);
  expect(rows.data.length).toBeGreaterThan(8 << 20); // what is packed at a time
  const [[, portable], [, bytes]] = accelerators;
  const expected = Buffer.from(replayProduct(fbgemm, scaled, rows, portable).data);
  expect(new Set(expected).size).toBeGreaterThan(50);
  for (const fast of [portable, bytes]) expect(expected.equals(Buffer.from(fast.codes(fbgemm, scaled, x)!))).toBe(true);
});

it('reads nothing beyond the codes', () => {
  const { linear, x } = layerOf(geometries[0], 'uint8');
  for (const base of [x.base.map((at) => at - 1), x.base.map((at) => at + 1)]) {
    expect(() => accelerators[0][1].accumulate({ pairs: null }, { ...x, base }, linear)).toThrow(RangeError);
  }
});

it('patches far behind their bases, as of a later group', () => {
  const { linear, x } = layerOf({ ...geometries[0], kernel: [3, 3], channels: 1 }, 'uint8');
  const before = 5_000_000;
  const data = new Uint8Array(before + x.data.length);
  data.set(x.data as Uint8Array, before);
  const far = { ...x, data, offset: x.offset.map((at) => at + before) };
  for (const [name, fast] of accelerators) {
    const [own, found] = [x, far].map((codes) => fast.accumulate({ pairs: null }, codes, linear)!.join());
    expect([name, found]).toEqual([name, own]);
  }
});
