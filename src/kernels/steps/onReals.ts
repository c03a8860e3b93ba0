/** What a product does to its real values before it makes codes of them: a second value is added, or a curve applied. */
import type { AddStep, CurveStep, OnReals } from '../../nouns/kernel.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { f32, fma32 } from '../../numeric/float.js';
import { hardswish, silu } from './curves.js';

/** What stands for the second value: its scale, and the code that is subtracted; of floats 1 and 0. */
function partsOf(addend: ValueParams): { readonly scale: number; readonly zeroPoint: number } {
  return isQuantized(addend) ? addend : { scale: 1, zeroPoint: 0 };
}

interface Joined {
  readonly name: string;
  readonly equation: string;
  readonly scaleOf: (scale: number) => number;
  readonly formula: string;
  /** With one rounding. */
  readonly fused: boolean;
}

function adding({ name, equation, scaleOf, formula, fused }: Joined): AddStep {
  return {
    name,
    equation,
    prepare(addend) {
      const { scale, zeroPoint } = partsOf(addend);
      const by = scaleOf(scale);
      if (fused) return (real, code) => fma32(f32(code - zeroPoint), by, real);
      return (real, code) => f32(real + f32(f32(code - zeroPoint) * by));
    },
    operation(addend, code) {
      const { scale, zeroPoint } = partsOf(addend);
      const centred = (added: number) => f32((code ?? added) - zeroPoint);
      const operand = `f32(${code === null ? 'a' : centred(code)})`;
      const by = scaleOf(scale);
      const codes = isQuantized(addend) && { addend: { scale: by, zeroPoint } };
      const own = { name: 'second input', precision: 'float32', formula: operand, ...codes } as const;
      const text = formula.replace('s', String(scale));
      if (fused) {
        const factors = { factor: () => by, factorFormula: text };
        return { ...own, kind: 'fma', operand: (_, added) => centred(added!), ...factors };
      }
      return { ...own, kind: 'add', formula: `${operand} * ${text}`, operand: (_, added) => f32(centred(added!) * by) };
    },
  };
}

/** In PyTorch's fused sum of float32 the scale is as given; quantized::conv2d_add hands oneDNN 1/scale, which inverts it again. */
const scales = {
  given: { scaleOf: f32, formula: 'f32(s)', text: 'sa' },
  inverted: { scaleOf: (scale: number) => f32(1 / f32(1 / f32(scale))), formula: 'R(float(f32(s)))', text: 'R(sa)' },
};

function sumOf(inverts: boolean, fused: boolean): AddStep {
  const { text, ...scale } = inverts ? scales.inverted : scales.given;
  const equation = fused ? `fma(a, ${text}, v)` : `f32(v + f32(a * ${text}))`;
  return adding({ name: `sum${inverts ? 'Inverted' : ''}${fused ? 'Fused' : ''}`, equation, ...scale, fused });
}

/** onednn::qconv2d_pointwise. own: its silu. */
export const sumsOfPointwise = (own: CurveStep): OnReals => ({
  add: sumOf(false, true),
  curves: { hardswish, silu: own },
});
/** quantized::conv2d_add(_relu), which has no curves; without FMA on SSE4.1 and AVX. */
export const sumsOfQuantized: OnReals = { add: sumOf(true, true), curves: {} };
export const sumsOfQuantizedSse41: OnReals = { add: sumOf(true, false), curves: {} };

/** A script's, in the precision of what it adds to: the second value is made real first. */
export const sumsOfScript: OnReals = {
  add: {
    name: 'sumOfReals',
    equation: 'v + a * sa',
    prepare(addend) {
      const { scale, zeroPoint } = partsOf(addend);
      return (real, code) => real + (code - zeroPoint) * scale;
    },
    operation(addend, code) {
      const { scale, zeroPoint } = partsOf(addend);
      const formula = `${code === null ? 'a' : code - zeroPoint} * ${scale}`;
      const operand = (_: number, added?: number) => ((code ?? added!) - zeroPoint) * scale;
      return { kind: 'add', name: 'second input', precision: 'float64', formula, operand };
    },
  },
  curves: { hardswish, silu },
};
