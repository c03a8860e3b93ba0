/** Floats that become codes by the range of each sample, where the file has one scale for all: dynamic quantization of a static input. */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { NumericArray } from '../../nouns/array.js';
import { isElementwise } from '../../nouns/model.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { rangeOfRow } from '../../numeric/extremes.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfAway, roundHalfEven } from '../../numeric/round.js';
import type { AskedOfPlaces } from '../candidate/readings.js';
import { namedPlaces } from './namedPlaces.js';
import { tellsEnough, wantedOf } from './otherOperands.js';

/** Held in memory as a whole. */
const MOST_VALUES = 2e7;

type Chosen = Pick<QuantParams, 'scale' | 'zeroPoint'>;

/** What a range makes of a sample's scale and zero point, in its words. */
interface Formula {
  readonly of: string;
  choose(range: { readonly min: number; readonly max: number }, own: QuantParams): Chosen;
}

/** Around the file's zero point. */
function symmetric(by: number): Formula {
  return {
    of: `the largest size / ${by}`,
    choose: ({ min, max }, { zeroPoint }) => ({ scale: Math.max(-min, max) / by, zeroPoint }),
  };
}

const FORMULAS: readonly Formula[] = [
  ...[127, 127.5, 128].map(symmetric),
  {
    of: '(max - min) / 255, 0 inside',
    choose({ min, max }, { quantMin, quantMax }) {
      const [lo, hi] = [Math.min(min, 0), Math.max(max, 0)];
      const scale = (hi - lo) / (quantMax - quantMin);
      return { scale, zeroPoint: clamp(quantMin + roundHalfEven(-lo / (scale || 1)), quantMin, quantMax) };
    },
  },
  {
    of: '(max - min) / 255',
    choose({ min, max }, { quantMin, quantMax }) {
      const scale = (max - min) / (quantMax - quantMin);
      return { scale, zeroPoint: quantMin + roundHalfEven(-min / (scale || 1)) };
    },
  },
];

interface Code {
  readonly of: (x: number, chosen: Chosen) => number;
}

/** Divided, or times the reciprocal; in either width; ties to even, or away. */
const CODES: readonly Code[] = [roundHalfEven, roundHalfAway].flatMap((round) => [
  { of: (x, { scale, zeroPoint }) => round(x / scale) + zeroPoint },
  { of: (x, { scale, zeroPoint }) => round(f32(x / f32(scale))) + zeroPoint },
  { of: (x, { scale, zeroPoint }) => round(f32(x * f32(1 / f32(scale)))) + zeroPoint },
]);

/** Null: the layer quantizes nothing, or by no such range. */
export async function onOwnRanges(asked: AskedOfPlaces): Promise<LayerDiagnosis | null> {
  const { reading, observed, from, to } = asked;
  const { layer, inputs } = reading.run.ready;
  const { output } = layer;
  if (!isElementwise(layer) || layer.form.chosen || !inputs[0] || isQuantized(inputs[0])) return null;
  if (!output || !isQuantized(output) || to - from < 2) return null;
  if ((to - from) * observed.features > MOST_VALUES || !(await tellsEnough(asked))) return null;
  const [read, wanted] = await Promise.all([reading.run.inputs[0].read(from, to), wantedOf(asked)]);
  const samples = { read, wanted, features: observed.features, output };
  const formula = FORMULAS.find((own) => CODES.some((code) => isSo(samples, own, code)));
  return formula ? said(asked, samples, formula) : null;
}

interface Quantized {
  readonly read: NumericArray;
  readonly wanted: NumericArray;
  readonly features: number;
  readonly output: QuantParams;
}

function isSo({ read, wanted, features, output }: Quantized, formula: Formula, code: Code): boolean {
  const { quantMin, quantMax } = output;
  for (let start = 0; start < wanted.length; start += features) {
    const { scale, zeroPoint } = formula.choose(rangeOfRow(read.subarray(start, start + features)), output);
    const chosen = { scale: scale || 1, zeroPoint }; // an empty sample
    if (!Number.isFinite(scale + zeroPoint)) return false;
    for (let i = start; i < start + features; i++)
      if (clamp(code.of(read[i], chosen), quantMin, quantMax) !== wanted[i]) return false;
  }
  return true;
}

function said(asked: AskedOfPlaces, { read, features, output }: Quantized, formula: Formula): LayerDiagnosis {
  const { firstMismatch } = asked.reading.diff;
  const sample = firstMismatch?.sample ?? asked.from;
  const start = (sample - asked.from) * features;
  const { min, max } = rangeOfRow(read.subarray(start, start + features));
  const { scale, zeroPoint } = formula.choose({ min, max }, output);
  return namedPlaces(asked, ['activation-range'], {
    'activation-range': {
      found: { codes: [output.quantMin, output.quantMax], grain: 'sample' },
      scale_of: formula.of,
      sample,
      min,
      max,
      declared_params: { scale: output.scale, zero_point: output.zeroPoint },
      found_params: { scale, zero_point: zeroPoint },
    },
  });
}
