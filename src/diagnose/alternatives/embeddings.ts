/** Rows of a table that are looked up or dequantized otherwise than the file says, by the kernel's own steps or a script's. */

import type { NumericArray } from '../../nouns/array.js';
import type { EmbeddingAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float32s, int32s } from '../../numeric/array.js';
import { f32, toBFloat16, toFloat16 } from '../../numeric/float.js';
import { floor, roundHalfEven } from '../../numeric/round.js';
import { sizeOf } from '../../tensor/shape.js';
import type { TensorStudy } from '../study/study.js';

type Reading = (call: TensorCall, own: EmbeddingAttributes) => Partial<TensorCall>;

/** A copy of a larger table takes longer than all else. */
const MOST_COPIED = 2 ** 22;

const attributesOf = ({ attributes }: TensorCall) => attributes as EmbeddingAttributes;

/** Each row's own scale and zero point by those of all rows. */
function rowsBy(of: (own: EmbeddingAttributes, rows: number) => Partial<EmbeddingAttributes>): Reading {
  return (call, own) => ({ attributes: { ...own, ...of(own, call.table!.length / own.size) } });
}

const scales = (of: (scale: (row: number) => number, row: number, rows: number) => number): Reading =>
  rowsBy(({ scale }, rows) => ({ scale: scale && ((row) => of(scale, row, rows)) }));

const indices =
  (of: (row: number, rows: number) => number): Reading =>
  (call, { size }) => {
    const [first, ...others] = call.inputs;
    const rows = call.table!.length / size;
    return { inputs: [{ ...first, data: int32s(first.data, (row) => of(row, rows)) }, ...others] };
  };

const codes =
  (of: (code: number, i: number, table: NumericArray, size: number) => number): Reading =>
  ({ table }, { size }) => ({ table: float32s(table!, (code, i) => of(code, i, table!, size)) });

/** Of a table of floats too. */
const OF_PLACES: Readonly<Record<string, Reading>> = {
  'the row before each index': indices((row, rows) => (row + rows - 1) % rows),
  'the row behind each index': indices((row, rows) => (row + 1) % rows),
  'the row behind each index, the last one for those beyond': indices((row, rows) => Math.min(row + 1, rows - 1)),
  'the row before each index, the first one for those below': indices((row) => Math.max(row - 1, 0)),
  'rows from last to first': indices((row, rows) => rows - 1 - row),
  'the first row for all': indices(() => 0),
};

const OF_PLACES_COPIED: Readonly<Record<string, Reading>> = {
  'values from last to first': codes((_, i, table, size) => table[i - (i % size) + size - 1 - (i % size)]),
  'the table as [embedding_dim, rows]': codes(
    (_, i, table, size) => table[(i % size) * (table.length / size) + floor(i / size)],
  ),
};

const COPIED: Readonly<Record<string, Reading>> = {
  'codes read as int8': codes((code) => (code > 127 ? code - 256 : code)),
  'codes less 128': codes((code) => code - 128),
  'codes of 4 bits read with a sign': codes((code) => (code > 7 ? code - 16 : code)),
  'the halves of each byte exchanged': codes((_, i, table) => table[i ^ 1]),
};

/** Whose numbers a row is given. */
const OTHER_ROWS: Readonly<Record<string, (row: number, rows: number) => number>> = {
  'of the first row for all': () => 0,
  'of the row before': (row, rows) => (row + rows - 1) % rows,
  'of the row behind': (row, rows) => (row + 1) % rows,
  'of rows from last to first': (row, rows) => rows - 1 - row,
};

const READINGS: Readonly<Record<string, Reading>> = {
  'without zero points': rowsBy(() => ({ zeroPoint: () => 0 })),
  'zero points rounded': rowsBy(({ zeroPoint }) => ({ zeroPoint: (row) => roundHalfEven(zeroPoint(row)) })),
  'without scales': scales(() => 1),
  'scales in float16': scales((scale, row) => toFloat16(scale(row))),
  'scales in bfloat16': scales((scale, row) => toBFloat16(scale(row))),
  'zero points less one': rowsBy(({ zeroPoint }) => ({ zeroPoint: (row) => zeroPoint(row) - 1 })),
  'zero points plus one': rowsBy(({ zeroPoint }) => ({ zeroPoint: (row) => zeroPoint(row) + 1 })),
  'zero points less 128': rowsBy(({ zeroPoint }) => ({ zeroPoint: (row) => zeroPoint(row) - 128 })),
  ...Object.fromEntries(
    Object.entries(OTHER_ROWS).flatMap(([which, other]) => [
      [`the scale ${which}`, rowsBy(({ scale }, rows) => ({ scale: scale && ((row) => scale(other(row, rows))) }))],
      [
        `the zero point ${which}`,
        rowsBy(({ zeroPoint }, rows) => ({ zeroPoint: (row) => zeroPoint(other(row, rows)) })),
      ],
      [
        `scale and zero point ${which}`,
        rowsBy(({ scale, zeroPoint }, rows) => ({
          scale: scale && ((row) => scale(other(row, rows))),
          zeroPoint: (row) => zeroPoint(other(row, rows)),
        })),
      ],
    ]),
  ),
};

/** PyTorch sums quantized rows whatever the mode: the mean is what its documents say. */
function meanOfEach(steps: TensorSteps): [rule: string, TensorSteps] {
  const run = (call: TensorCall) => {
    const count = sizeOf(call.inputs[0].shape.dims);
    return float32s(steps.run(call) as Float32Array, (sum) => f32(sum / count));
  };
  return ['the mean of each bag', { ...steps, equation: `mean, ${steps.equation}`, run }];
}

/** By the rule of each. */
export function tablesReadOtherwise({ data, declared, free }: TensorStudy): [rule: string, TensorSteps][] {
  const own = declared.params.attributes as EmbeddingAttributes;
  const isTable = data.op === 'embedding' || data.op === 'embedding_bag';
  if (!free || !isTable || isQuantized(declared.params.output)) return [];
  const ways = [declared.steps, ...(declared.steps.rivals ?? []).map(({ steps }) => steps)];
  const isOfFloats = own.scale === null;
  const readings = [
    ...Object.entries(OF_PLACES),
    ...(isOfFloats ? [] : Object.entries(READINGS)),
    ...Object.entries({ ...OF_PLACES_COPIED, ...(isOfFloats ? {} : COPIED) }).map(
      ([rule, of]) => [rule, small(of)] as const,
    ),
  ];
  return ways.flatMap((steps): [string, TensorSteps][] => [
    ...readings.map(([rule, reading]): [string, TensorSteps] => [
      rule,
      {
        ...steps,
        equation: `${rule}, ${steps.equation}`,
        run: (call) => steps.run({ ...call, ...reading(call, attributesOf(call)) }),
      },
    ]),
    ...(own.mode ? [meanOfEach(steps)] : []),
  ]);
}

/** What is too large to copy is read as it is, which explains nothing. */
function small(reading: Reading): Reading {
  return (call, own) => (call.table!.length > MOST_COPIED ? {} : reading(call, own));
}
