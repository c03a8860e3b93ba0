/** Orders that weights have in memory packed for words or vectors, as a rule that a person would write. */
import type { Product } from '../../nouns/kernel.js';
import { floor } from '../../numeric/round.js';

/** Where weight [out, k] is taken from, in the declared matrix. */
type Packed = readonly [order: string, of: 'weights', from: (out: number, k: number) => number];

const WORDS = [2, 4, 8, 16, 32];

/** Places within each word of memory: bytes or nibbles from last to first, or packed for a vector unit. */
export function inWords(inputs: number): [order: string, from: (k: number) => number][] {
  return WORDS.filter((size) => inputs % size === 0 && size < inputs).flatMap((size) => [
    [
      `every ${size} along k from last to first: ${size === 2 ? 'nibbles of a byte, or bytes of a word' : 'bytes of a word'}`,
      (k) => k - (k % size) + size - 1 - (k % size),
    ],
    ...planesOf(size).map(([a, b, from]): [string, (k: number) => number] => [
      `(a, b) of ${a} x ${b} in every ${size} along k taken as (b, a)`,
      (k) => k - (k % size) + from(k % size),
    ]),
  ]);
}

/** Rows packed side by side, as kernels for some channels at a time have them, read one after the other, or the reverse. */
export function interleaved({ inFeatures: inputs, outFeatures: outputs }: Product): Packed[] {
  return WORDS.filter((rows) => outputs % rows === 0 && rows < outputs).flatMap((rows): Packed[] => {
    const size = rows * inputs;
    return [
      [
        `memory of ${rows} rows interleaved read row by row`,
        'weights',
        (n, k) => at((n % rows) * inputs + k, rows, inputs) + floor(n / rows) * size,
      ],
      [`rows read as ${rows} interleaved ones`, 'weights', (n, k) => floor(n / rows) * size + k * rows + (n % rows)],
    ];
  });
}

/** Four rows and columns at a time, a column's pairs apart, as arm_fully_connected_q7_opt of CMSIS-NN reads them; what is left over in order. */
export function inArmBlocks({ inFeatures: inputs, outFeatures: outputs }: Product): Packed[] {
  if (outputs < 4 || inputs < 4) return [];
  const whole = inputs - (inputs % 4);
  const placeIn = (row: number, k: number) =>
    k < whole ? 4 * (k - (k % 4)) + (row % 2) + 2 * floor((k % 4) / 2) + 4 * floor(row / 2) + 8 * (k % 2) : 4 * k + row;
  const rowsAt = new Int32Array(4 * inputs);
  for (let row = 0; row < 4; row++) for (let k = 0; k < inputs; k++) rowsAt[placeIn(row, k)] = row * inputs + k;
  const isPacked = (n: number) => n < outputs - (outputs % 4);
  const inBlock = (n: number, place: (row: number) => number, k: number) =>
    isPacked(n) ? (n - (n % 4)) * inputs + place(n % 4) : n * inputs + k;
  return [
    [
      '[out, in] memory read in blocks of 4 x 4, as arm_fully_connected_q7_opt does',
      'weights',
      (n, k) => inBlock(n, (row) => placeIn(row, k), k),
    ],
    [
      'memory in blocks of 4 x 4, made for arm_fully_connected_q7_opt, read row by row',
      'weights',
      (n, k) => inBlock(n, (row) => rowsAt[row * inputs + k], k),
    ],
  ];
}

/** Places of a x b taken as b x a; a rule, as 4 million places have 60 lists of as many. */
export function planesOf(inputs: number): [a: number, b: number, from: (k: number) => number][] {
  const planes: [number, number, (k: number) => number][] = [];
  for (let a = 2; a < inputs - 1; a++) {
    if (inputs % a !== 0) continue;
    const b = inputs / a;
    planes.push([a, b, (k) => (k % b) * a + floor(k / b)]);
  }
  return planes;
}

/** Place i of the transpose's memory, [inputs, outputs], in the declared matrix. */
export function at(i: number, outputs: number, inputs: number): number {
  return (i % outputs) * inputs + Math.floor(i / outputs);
}
