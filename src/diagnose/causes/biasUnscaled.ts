import { unscaledBias, unscaledBiasInt32 } from '../../kernels/steps/bias.js';
import { downward, towardZero } from '../../kernels/steps/round.js';
import { weightScaleOf } from '../../kernels/steps/scales.js';
import type { BiasStep, Product } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s, int32s } from '../../numeric/array.js';
import { furthestOf, largestOf } from '../../numeric/extremes.js';
import { clamp, INT32_MAX, INT32_MIN } from '../../numeric/integer.js';
import { floor, roundHalfEven, truncate } from '../../numeric/round.js';
import { missesCases } from '../alternatives/cases.js';
import type { Cause } from '../cause.js';
import { anyRuntime } from '../facts.js';
import type { CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, type ProductChange, type ProductSetup, withParams, withSteps } from '../setup.js';
import type { ProductStudy, Study } from '../study/study.js';
import { addedBias, codeOf } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { short } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'bias-unscaled': SomeChannels & {
      readonly channel?: number;
      /** The bias as declared (real units), and in steps as it should act and as it does. */
      readonly bias?: number;
      readonly steps_declared?: number;
      readonly steps_found?: number;
      /** The scale that an int32 bias is rounded at, in place of s_x * s_w. */
      readonly by?: string;
      /** The scale that a bias in real units is multiplied by. */
      readonly times?: string;
      /** Rounded to whole steps of the output, and added to its codes. */
      readonly after_rounding?: true;
      /** What makes whole steps of it, where that is not to nearest. */
      readonly rule?: 'towards zero' | 'down';
      /** Added to steps of the output as it is, not divided by s_y. */
      readonly after_scaling?: true;
    };
  }
}

/** np.astype(int32) of a real bias. */
const truncated: BiasStep = {
  name: 'unscaledBiasTruncated',
  equation: 'trunc(b)',
  arithmetic: 'int32',
  prepare: ({ bias }) =>
    bias ? { unit: 'int32', values: int32s(bias, truncate), numpy: 'np.trunc(b)' } : { unit: 'none' },
};

/** Of integers too, which TFLite and ONNX files have. */
function realBias(product: Product): Float64Array | null {
  const { bias, biasInt32, input } = product;
  if (bias || !biasInt32) return bias && Float64Array.from(bias);
  return float64s(biasInt32, (b, n) => b * input.scale * weightScaleOf(product, n));
}

/** Added after scaling, as if it were in output steps. */
const inOutputSteps: BiasStep = {
  name: 'unscaledBiasInOutputSteps',
  equation: 'b * sy in real units',
  arithmetic: 'float',
  prepare: (product) => {
    const step = stepOf(product);
    const bias = realBias(product);
    return bias ? { unit: 'real', values: bias.map((b) => b * step) } : { unit: 'none' };
  },
};

/** Added to codes, as whole steps. */
function afterRounding(name: string, round: (steps: number) => number): BiasStep {
  return {
    name: `biasAfterRounding ${name}`,
    equation: `sy * ${name}(b / sy) in real units`,
    arithmetic: 'float',
    prepare: (product) => {
      const step = stepOf(product);
      const bias = realBias(product);
      const inSteps = (b: number) => round(b / step) * step;
      return bias ? { unit: 'real', values: bias.map(inSteps) } : { unit: 'none' };
    },
  };
}

const TO_NEAREST = changeOf(afterRounding('rint', roundHalfEven), { after_rounding: true });
/** Alone: beside all others they would take what a search may. */
const NOT_TO_NEAREST = [
  changeOf(afterRounding('trunc', truncate), { after_rounding: true, rule: 'towards zero' }),
  changeOf(afterRounding('floor', floor), { after_rounding: true, rule: 'down' }),
];

/** Values that no cut of the results gives: fewer are left by a multiplier of few bits beside it. */
const FEWEST_UNCUT = 4;

function isNearlyCut(study: ProductStudy): boolean {
  return [downward, towardZero].some(
    (round) => !missesCases(study as Study, withSteps(study.declared, { round }), FEWEST_UNCUT),
  );
}

const stepOf = ({ output }: Product) => (isQuantized(output) ? output.scale : 1);

/** An int32 bias that is rounded at another scale than the accumulator's, by the name of that scale. */
function otherUnits({ input, output, weightScale }: Product): [by: string, BiasStep][] {
  const largest = largestOf(weightScale);
  const scales: [by: string, unit: number | ArrayLike<number>][] = [
    ['s_y', isQuantized(output) ? output.scale : Number.NaN],
    ['s_w', weightScale],
    ['s_x', input.scale],
    ['s_x * s_w[0]', input.scale * weightScale[0]],
    ['s_x * max(s_w)', input.scale * largest],
  ];
  const own = (n: number) => input.scale * weightScale[weightScale.length > 1 ? n : 0];
  return scales.flatMap(([by, unit]) => {
    const of = (n: number) => (typeof unit === 'number' ? unit : unit[unit.length > 1 ? n : 0]);
    const isOther = weightScale.some((_, n) => of(n) !== own(n));
    return isOther && of(0) > 0 ? [[by, roundedAt(by, of)] as [string, BiasStep]] : [];
  });
}

/** Divided by one scale of the two and not rounded, where no number times every bias does the same: weights have a scale a channel. */
function otherUnitsInFloat({ input, output, weightScale }: Product): [by: string, BiasStep][] {
  if (weightScale.every((scale) => scale === weightScale[0])) return [];
  const scales: [by: string, unit: number][] = [
    ['s_x', input.scale],
    ...(isQuantized(output) ? [['s_y', output.scale] as [string, number]] : []),
  ];
  return scales.map(([by, unit]) => [
    by,
    {
      name: `floatBias of ${by}`,
      equation: `b / ${by}`,
      arithmetic: 'float',
      prepare: (product) => {
        const { bias } = product;
        const inReals = (b: number, n: number) => (b / unit) * product.input.scale * weightScaleOf(product, n);
        return bias ? { unit: 'real', values: Float64Array.from(bias, inReals) } : { unit: 'none' };
      },
    },
  ]);
}

function roundedAt(by: string, unit: (channel: number) => number): BiasStep {
  const rounded = (b: number, n: number) => clamp(roundHalfEven(b / unit(n)), INT32_MIN, INT32_MAX);
  return {
    name: `int32Bias of ${by}`,
    equation: `rint(b / ${by.includes(' ') ? `(${by})` : by})`,
    arithmetic: 'int32',
    prepare: (product) => {
      const bias = realBias(product);
      return bias ? { unit: 'int32', values: int32s(bias, rounded), numpy: null } : { unit: 'none' };
    },
  };
}

/** Real units already, where each call has a scale of its own: a script multiplies all by the weights'. */
const timesWeightScale: ProductChange = {
  cause: 'bias-unscaled',
  coordinate: 'bias',
  freedom: FREEDOM.none,
  label: 'b * s_w',
  found: { times: 's_w' },
  apply(setup: ProductSetup) {
    const { bias, weightScale } = setup.params;
    const scaled = bias?.map((b, n) => Math.fround(b * weightScale[weightScale.length > 1 ? n : 0]));
    return withParams(setup, { bias: scaled ?? null });
  },
};

function changeOf(bias: BiasStep, found?: CauseEvidence['bias-unscaled']): ProductChange {
  return {
    cause: 'bias-unscaled',
    coordinate: 'bias',
    freedom: FREEDOM.none,
    label: bias.name,
    ...(found && { found }),
    apply: (setup: ProductSetup) => withSteps(setup, { bias }),
  };
}

/** The bias in real units, in steps of the output, or rounded at another scale than the sums have. */
export const biasUnscaled: Cause<'bias-unscaled', 'product'> = {
  code: 'bias-unscaled',
  kinds: ['product'],
  whose: 'model',
  needs: [anyRuntime],

  changes: (study) => {
    const { declared, data, free } = study;
    const { bias, biasInt32, output } = declared.params;
    if (!(bias ?? biasInt32)?.some((b) => b !== 0)) return [];
    const isAlone = (change: ProductChange) => study.agreesOnSubset(change.apply(declared)) && !isNearlyCut(study);
    const afterScaling = isQuantized(output)
      ? [changeOf(inOutputSteps, { after_scaling: true }), TO_NEAREST, ...NOT_TO_NEAREST.filter(isAlone)]
      : [];
    const rounded = otherUnits(declared.params).map(([by, step]) => changeOf(step, { by }));
    // a file has integers in their units; who reads it may take them for reals
    if (!bias) return [...afterScaling, ...(free ? rounded : [])];
    return [
      ...[unscaledBias, unscaledBiasInt32, truncated].map((step) => changeOf(step)),
      ...afterScaling,
      ...(data.dynamic ? [timesWeightScale] : []),
      ...rounded,
      ...otherUnitsInFloat(declared.params).map(([by, step]) => changeOf(step, { by })),
    ];
  },

  evidence: ({ study, change }) => {
    const { output, input } = study.declared.params;
    const bias = realBias(study.declared.params);
    if (!bias || !isQuantized(output)) return {};
    const channel = furthestOf(bias);
    const unit = input.scale * weightScaleOf(study.declared.params, channel);
    const { after_rounding, after_scaling, by } = (change.found ?? {}) as CauseEvidence['bias-unscaled'];
    const found = after_scaling ? bias[channel] : (bias[channel] * unit) / output.scale;
    return {
      channel,
      bias: bias[channel],
      steps_declared: bias[channel] / output.scale,
      ...(!after_rounding && !by && { steps_found: found }),
    };
  },

  words: {
    title: (e) => {
      if (e.after_rounding) return `bias ${e.rule ? `rounded ${e.rule} and ` : ''}added after rounding`;
      if (e.after_scaling) return 'real bias added to steps of the output';
      if (e.times) return `bias multiplied by ${e.times}`;
      return e.by ? `bias divided by ${e.by}, not by s_x * s_w` : 'bias added without scaling';
    },
    explanation: (e) => {
      if (e.after_rounding)
        return 'The bias is rounded to whole steps of the output and added to its codes; it belongs to the accumulator, where its fraction counts.';
      if (e.after_scaling)
        return 'The real-valued bias is added to what has been multiplied by s_x * s_w / s_y; there it has to be divided by s_y.';
      if (e.times)
        return 'The bias is in real units: it is added to what the scales make of the sums, and has none itself.';
      return e.by
        ? `A bias is added in units of the accumulator, s_x * s_w of each channel; it is in units of ${e.by}.`
        : 'The real-valued bias is added to the accumulator as it is; it has to be divided by s_x * s_w.';
    },
    ofOneLayer: true,
    evidence: (e) => [
      e.bias === undefined || e.steps_declared === undefined
        ? null
        : `channel ${e.channel ?? 0}: bias ${short(e.bias)} is ${short(e.steps_declared)} steps` +
          (e.steps_found === undefined ? '' : `, and acts as ${short(e.steps_found)}`),
    ],
    fix: (e, context) =>
      parameterFix(
        (own) => `write ${field(own, 'bias')} in real units (float32), or as int32 at scale s_x * s_w`,
        e.times
          ? 'add the bias as it is, after the scales'
          : 'divide the bias by s_x * s_w before it is added to the accumulator',
      )(e, context),
    code: (e, context) => (e.times ? [] : codeOf(addedBias(context))(context)),
  },
};
