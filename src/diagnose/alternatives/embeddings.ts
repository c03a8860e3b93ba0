/** Rows of a table that are looked up or dequantized otherwise than the file says, by the kernel's own steps or a script's. */

import type { NumericArray } from '../../nouns/array.js';
import type { EmbeddingAttributes } from '../../nouns/attributes.js';
import type { TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { float32s, int32s } from '../../numeric/array.js';
import { f32, toBFloat16, toFloat16 } from '../../numeric/float.js';
import { roundHalfEven } from '../../numeric/round.js';
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

const COPIED: Readonly<Record<string, Reading>> = {
  'codes read as int8': codes((code) => (code > 127 ? code - 256 : code)),
  'codes less 128': codes((code) => code - 128),
  'codes of 4 bits read with a sign': codes((code) => (code > 7 ? code - 16 : code)),
  'the halves of each byte exchanged': codes((_, i, table) => table[i ^ 1]),
  'values from last to first': codes((_, i, table, size) => table[i - (i % size) + size - 1 - (i % size)]),
};

const READINGS: Readonly<Record<string, Reading>> = {
  'without zero points': rowsBy(() => ({ zeroPoint: () => 0 })),
  'zero points rounded': rowsBy(({ zeroPoint }) => ({ zeroPoint: (row) => roundHalfEven(zeroPoint(row)) })),
  'the zero point of the first row for all': rowsBy(({ zeroPoint }) => ({ zeroPoint: () => zeroPoint(0) })),
  'the scale of the first row for all': scales((scale) => scale(0)),
  'the scale of the row before': scales((scale, row, rows) => scale((row + rows - 1) % rows)),
  'the scale of the row behind': scales((scale, row, rows) => scale((row + 1) % rows)),
  'without scales': scales(() => 1),
  'scales in float16': scales((scale, row) => toFloat16(scale(row))),
  'scales in bfloat16': scales((scale, row) => toBFloat16(scale(row))),
  'the row before each index': indices((row, rows) => (row + rows - 1) % rows),
  'the row behind each index': indices((row, rows) => (row + 1) % rows),
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
  if (!free || !isTable || own.scale === null) return [];
  const ways = [declared.steps, ...(declared.steps.rivals ?? []).map(({ steps }) => steps)];
  const readings = [
    ...Object.entries(READINGS),
    ...Object.entries(COPIED).map(([rule, of]) => [rule, small(of)] as const),
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
