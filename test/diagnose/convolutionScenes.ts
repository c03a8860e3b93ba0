/** Causes that only a convolution has: scenes that raise each, and such that look like it and must not. */
import type { Geometry, Mistake, Scene } from '../support/convolution.js';
import { sceneOf } from '../support/convolution.js';

const PADDED = [
  [1, 1],
  [1, 1],
] as const;
const plain: Geometry = { input: [4, 7, 6], weight: [6, 4, 3, 3], padding: PADDED };
const wide: Geometry = {
  ...plain,
  input: [4, 9, 9],
  padding: [
    [2, 2],
    [2, 2],
  ],
  dilation: [2, 2],
};
const strided: Geometry = { ...plain, input: [4, 9, 8], stride: [2, 2] };
const grouped: Geometry = { input: [8, 6, 6], weight: [12, 4, 3, 3], groups: 2, padding: PADDED };
const multiplied: Geometry = { input: [8, 6, 6], weight: [16, 1, 3, 3], groups: 8, padding: PADDED };
const square: Geometry = { input: [4, 6, 6], weight: [6, 4, 3, 3], padding: PADDED };

export interface ConvolutionScene {
  readonly code: string;
  readonly what: string;
  readonly scene: Scene;
  readonly mistake: Mistake;
  /** Part of the evidence. */
  readonly found?: object;
}

const at = (stride: number[], padding: number[], dilation: number[]): Mistake['place'] => {
  return ({ group, c, ky, kx, oy, ox }, { weight }) => [
    group * weight[1] + c,
    oy * stride[0] - padding[0] + ky * dilation[0],
    ox * stride[1] - padding[1] + kx * dilation[1],
  ];
};

interface Place {
  readonly n: number;
  readonly c: number;
  readonly ky: number;
  readonly kx: number;
}

type Index = [n: number, c: number, ky: number, kx: number];

/** Where a weight lies in memory of each layout: kernels of 3 x 3, 4 channels and 6 outputs where no number says another. */
const ohwi = ({ n, c, ky, kx }: Place) => ((n * 3 + ky) * 3 + kx) * 4 + c;
const oihw = ({ n, c, ky, kx }: Place, channels: number) => ((n * channels + c) * 3 + ky) * 3 + kx;
const hwio = ({ n, c, ky, kx }: Place) => ((ky * 3 + kx) * 4 + c) * 6 + n;
/** And which weight that is, in memory with the outputs last or first. */
const ofLastOut = (at: number, channels: number, outputs: number): Index => {
  const tap = Math.floor(at / (channels * outputs));
  return [at % outputs, Math.floor(at / outputs) % channels, Math.floor(tap / 3), tap % 3];
};
const ofFirstOut = (at: number): Index => {
  const tap = Math.floor(at / 4) % 9;
  return [Math.floor(at / 36), at % 4, Math.floor(tap / 3), tap % 3];
};

const reflected = (index: number, size: number) => (index < 0 ? -index : index >= size ? 2 * size - 2 - index : index);

export const RAISED: readonly ConvolutionScene[] = [
  {
    code: 'padding-value',
    what: '0 where the zero point belongs',
    scene: sceneOf(plain),
    mistake: { padding: () => 0 },
    found: { declared: 117, found: 0, inside_values: 0 },
  },
  {
    code: 'padding-value',
    what: '128 where the zero point belongs',
    scene: sceneOf(plain, { seed: 2 }),
    mistake: { padding: () => 128 },
    found: { found: 128 },
  },
  {
    code: 'padding-value',
    what: 'reflected',
    scene: sceneOf(plain, { seed: 3 }),
    mistake: { padding: (y, x, read, { input: [, h, w] }) => read(reflected(y, h), reflected(x, w)) },
    found: { found: 'reflect' },
  },
  {
    code: 'padding-value',
    what: 'read on past the ends of rows',
    scene: sceneOf(plain, { seed: 8 }),
    mistake: {
      padding: (y, x, read, { input: [, h, w] }) => {
        const cell = y * w + x;
        return y < 0 || y >= h || cell < 0 || cell >= h * w ? 117 : read(Math.floor(cell / w), cell % w);
      },
    },
    found: { found: 'rows beside' },
  },
  {
    code: 'padding-value',
    what: 'read on past the ends of rows, and 0 beyond the image',
    scene: sceneOf(strided, { seed: 8 }),
    mistake: {
      padding: (y, x, read, { input: [, h, w] }) => {
        const cell = y * w + x;
        return y < 0 || y >= h || cell < 0 || cell >= h * w ? 0 : read(Math.floor(cell / w), cell % w);
      },
    },
    found: { found: 'rows beside', beyond: 0 },
  },
  {
    code: 'padding-value',
    what: '0 in a depthwise one',
    scene: sceneOf(multiplied, { seed: 4, samples: 8 }),
    mistake: { padding: () => 0 },
    found: { found: 0 },
  },
  {
    code: 'padding-place',
    what: 'two rows before the image, none after it',
    scene: sceneOf(strided),
    mistake: { place: at([2, 2], [0, 1], [1, 1]) },
    found: {
      declared: [
        [1, 1],
        [1, 1],
      ],
      found: [
        [0, 2],
        [1, 1],
      ],
    },
  },
  {
    code: 'padding-place',
    what: 'the last row is never read',
    scene: sceneOf(plain, { seed: 6 }),
    mistake: {
      place: (tap, geometry) => {
        const [channel, y, x] = at([1, 1], [1, 1], [1, 1])!(tap, geometry);
        return [channel, y === geometry.input[1] - 1 ? -1 : y, x];
      },
    },
    found: { not_read: { axis: 0, side: 'last' } },
  },
  {
    code: 'dilation-wrong',
    what: 'no dilation',
    scene: sceneOf(wide),
    mistake: { place: at([1, 1], [2, 2], [1, 1]) },
    found: { declared: [2, 2], found: [1, 1] },
  },
  {
    code: 'dilation-wrong',
    what: 'no dilation, padded so that the middle stays',
    scene: sceneOf(wide, { seed: 8 }),
    mistake: { place: at([1, 1], [1, 1], [1, 1]) },
    found: {
      found: [1, 1],
      padding: [
        [1, 1],
        [1, 1],
      ],
    },
  },
  {
    code: 'stride-wrong',
    what: 'no stride along x',
    scene: sceneOf(strided, { seed: 9 }),
    mistake: { place: at([2, 1], [1, 1], [1, 1]) },
    found: { declared: [2, 2], found: [2, 1] },
  },
  {
    code: 'groups-wrong',
    what: 'every group reads the first',
    scene: sceneOf(grouped),
    mistake: {
      place: (tap, geometry) => at([1, 1], [1, 1], [1, 1])!({ ...tap, group: 0 }, geometry),
    },
    found: { groups: 2, found: 'first' },
  },
  {
    code: 'groups-wrong',
    what: 'outputs by turns',
    scene: sceneOf(multiplied, { seed: 11, samples: 8 }),
    mistake: {
      place: (tap, geometry) => at([1, 1], [1, 1], [1, 1])!({ ...tap, group: tap.n % 8 }, geometry),
    },
    found: { groups: 8, found: 'outputs in turns' },
  },
  ...[1, -1].map(
    (by): ConvolutionScene => ({
      code: 'groups-wrong',
      what: `depthwise, channels rotated by ${by}`,
      scene: sceneOf(multiplied, { seed: 13, samples: 8 }),
      mistake: {
        place: (tap, geometry) => at([1, 1], [1, 1], [1, 1])!({ ...tap, group: (tap.group + by + 8) % 8 }, geometry),
      },
      found: { groups: 8, found: by > 0 ? 'next' : 'previous' },
    }),
  ),
  {
    code: 'groups-wrong',
    what: 'inputs by turns',
    scene: sceneOf(grouped, { seed: 12 }),
    mistake: {
      place: (tap, geometry) => {
        const [, y, x] = at([1, 1], [1, 1], [1, 1])!(tap, geometry);
        return [tap.c * 2 + tap.group, y, x];
      },
    },
    found: { found: 'inputs in turns' },
  },
  {
    code: 'k-order',
    what: 'the last product left out',
    scene: sceneOf(plain, { seed: 13 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => (c === 3 && ky === 2 && kx === 2 ? 0 : own(n, c, ky, kx)) },
    found: { order: 'without the last product' },
  },
  {
    code: 'k-order',
    what: 'the last row of the kernel left out',
    scene: sceneOf(plain, { seed: 13 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => (ky === 2 ? 0 : own(n, c, ky, kx)) },
    found: { order: 'without the last kernel row' },
  },
  {
    code: 'k-order',
    what: 'a convolution for a correlation',
    scene: sceneOf(plain, { seed: 13 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => own(n, c, 2 - ky, 2 - kx) },
    found: { of: 'weights', order: 'kernel flipped' },
  },
  {
    code: 'k-order',
    what: 'flipped in a depthwise one',
    scene: sceneOf(multiplied, { seed: 14, samples: 8 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => own(n, c, 2 - ky, 2 - kx) },
    found: { order: 'kernel flipped' },
  },
  {
    code: 'k-order',
    what: 'OIHW memory read as OHWI',
    scene: sceneOf(plain, { seed: 15 }),
    mistake: {
      weight: ({ n, c, ky, kx }, own) => {
        const place = (ky * 3 + kx) * 4 + c;
        return own(n, Math.floor(place / 9), Math.floor((place % 9) / 3), place % 3);
      },
    },
    found: { order: '[out, in, kh, kw] memory as [out, kh, kw, in]' },
  },
  ...(
    [
      ['[kh, kw, in, out] memory as [out, kh, kw, in]', plain, (p: Place) => ofLastOut(ohwi(p), 4, 6)],
      ['[kh, kw, in, out] memory as [out, in, kh, kw]', plain, (p: Place) => ofLastOut(oihw(p, 4), 4, 6)],
      ['[out, kh, kw, in] memory as [kh, kw, in, out]', plain, (p: Place) => ofFirstOut(hwio(p))],
      ['[kh, kw, in, out] memory as [out, in, kh, kw]', multiplied, (p: Place) => ofLastOut(oihw(p, 1), 1, 16)],
    ] as const
  ).map(([order, geometry, from], i) => ({
    code: 'k-order',
    what: `${order}${geometry === multiplied ? ', of a depthwise one' : ''}`,
    scene: sceneOf(geometry, { seed: 40 + i, samples: 8 }),
    mistake: { weight: (place: Place, own: (...index: Index) => number) => own(...from(place)) },
    found: { order },
  })),
  {
    code: 'k-order',
    what: 'BGR for RGB',
    scene: sceneOf({ ...plain, input: [3, 7, 6], weight: [6, 3, 3, 3] }, { seed: 16 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => own(n, 2 - c, ky, kx) },
    found: { order: 'channels last to first' },
  },
  {
    code: 'k-order',
    what: 'the image read as channels last',
    scene: sceneOf(square, { seed: 17 }),
    mistake: {
      place: ({ c, ky, kx, oy, ox }) => {
        const [y, x] = [oy + ky - 1, ox + kx - 1];
        if (y < 0 || y > 5 || x < 0 || x > 5) return [c, y, x];
        const cell = (y * 6 + x) * 4 + c;
        return [Math.floor(cell / 36), Math.floor((cell % 36) / 6), cell % 6];
      },
    },
    found: { of: 'input', order: 'channels first memory as channels last' },
  },
];

export interface NearScene {
  readonly code: string;
  readonly but: string;
  readonly scene: Scene;
  readonly mistake: Mistake;
}

export const NEARLY: readonly NearScene[] = [
  {
    code: 'padding-value',
    but: 'a number that differs by side',
    scene: sceneOf(plain, { seed: 21 }),
    mistake: { padding: (y) => (y < 0 ? 0 : 255) },
  },
  {
    code: 'padding-value',
    but: 'one value inside is another',
    scene: sceneOf(plain, { seed: 22 }),
    mistake: {
      padding: () => 0,
      weight: ({ sample, n, c, ky, kx, oy, ox }, own) =>
        own(n, c, ky, kx) + (sample === 2 && n === 3 && oy === 3 && ox === 3 ? 40 : 0),
    },
  },
  {
    code: 'padding-place',
    but: 'moved in one image only',
    scene: sceneOf(strided, { seed: 23 }),
    mistake: {
      place: (tap, geometry) => at([2, 2], [tap.sample === 0 ? 0 : 1, 1], [1, 1])!(tap, geometry),
    },
  },
  {
    code: 'dilation-wrong',
    but: 'in the first output channel only',
    scene: sceneOf(wide, { seed: 24 }),
    mistake: {
      place: (tap, geometry) => at([1, 1], [2, 2], tap.n === 0 ? [1, 1] : [2, 2])!(tap, geometry),
    },
  },
  {
    code: 'stride-wrong',
    but: 'in odd rows only',
    scene: sceneOf(strided, { seed: 25 }),
    mistake: { place: (tap, geometry) => at([2, tap.oy % 2 ? 1 : 2], [1, 1], [1, 1])!(tap, geometry) },
  },
  {
    code: 'groups-wrong',
    but: 'for one output channel',
    scene: sceneOf(grouped, { seed: 26 }),
    mistake: {
      place: (tap, geometry) => at([1, 1], [1, 1], [1, 1])!({ ...tap, group: tap.n === 11 ? 0 : tap.group }, geometry),
    },
  },
  {
    code: 'k-order',
    but: 'flipped for half of the output channels',
    scene: sceneOf(plain, { seed: 27 }),
    mistake: { weight: ({ n, c, ky, kx }, own) => (n < 3 ? own(n, c, 2 - ky, 2 - kx) : own(n, c, ky, kx)) },
  },
];
