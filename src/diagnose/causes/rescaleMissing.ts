import type { TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { type Branch, hasBranches, scriptsOfBranches } from '../alternatives/branches.js';
import { joinedAsTheyAre } from '../alternatives/joinedOperands.js';
import { scriptsWithoutScale } from '../alternatives/meanRules.js';
import { type RawSum, rawSums } from '../alternatives/rawSums.js';
import { formOf, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { converts, readsCodes, scalesSums, writesCodes } from '../facts.js';
import type { AnotherRule, CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, inputOf, type Setup, withInput, withOutput } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import type { Snippet } from '../words/causeWords.js';
import { INT32_SUMS, inC, numpy } from '../words/code.js';
import { declareKernel, stepLines } from '../words/fixes.js';
import { decidingSentence, operands } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** Which of the inputs, counted from 0, and what of them took no part; scale_of: the input whose scale was taken in its place. */
    'rescale-missing': SomeChannels & {
      readonly inputs?: readonly number[];
      readonly left?: string;
      readonly scale_of?: number;
      /** Two inputs: each as if it were the other. */
      readonly exchanged?: true;
      /** Codes are added as they are, and no zero point after them. */
      readonly raw?: 'added' | 'subtracted' | 'multiplied';
      /** The output holds the codes of the input. */
      readonly copied?: true;
      /** The output's zero point takes no part either. */
      readonly output_too?: true;
      /** Of a function with two: the one that is left in steps of the input. */
      readonly branch?: Branch;
    } & AnotherRule &
      RawSum;
  }
}

type Left = 'scale' | 'scale and zero point' | 'zero point';

/** An input's codes taken as they are: not brought to the output's scale, or its zero point left in. */
export const rescaleMissing: Cause<'rescale-missing'> = {
  code: 'rescale-missing',
  kinds: ['product', 'tensor', 'elementwise'],
  needs: [
    writesCodes,
    (study) => {
      if (isProductStudy(study)) return scalesSums(study);
      if (!isTensorStudy(study)) return readsCodes(study) && converts(study);
      return study.declared.params.inputs.length > 1 || formOf(study)?.is === 'mean' || hasBranches(study);
    },
  ],
  whose: 'capture',

  changes: (study) => {
    const { output } = study.declared.params;
    if (!isQuantized(output)) return [];
    if (isProductStudy(study)) return ofSums(study);
    if (hasBranches(study)) return ofBranches(study as TensorStudy);
    const every = study.declared.reads.map((_, i) => i);
    const sets = [...every.map((i) => [i]), ...(every.length > 1 ? [every] : [])];
    return [
      ...joinedAsTheyAre(study),
      ...sets.flatMap((taken) => changesOf(study, taken, output)),
      ...exchanges(study),
      ...ofAnother(study),
      ...rawSum(study, output),
      ...rawProduct(study),
      ...copies(study),
      ...ofMeans(study),
      ...withoutZeroPoints(study, output),
    ];
  },

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    title: (e) => {
      if (e.sums) return sumsTitle(e);
      if (e.branch) return `values ${e.branch} not brought to the output's scale`;
      if (e.copied) return `codes of ${operands(e.inputs)} copied`;
      if (e.raw === 'multiplied') return `codes of ${operands(e.inputs)} multiplied, and the product not scaled`;
      if (e.raw) return `codes of ${operands(e.inputs)} ${e.raw} as they are`;
      if (e.exchanged) return `${operands(e.inputs)} read with each other's ${e.left}`;
      if (e.scale_of !== undefined) return `${operands(e.inputs)} read with the ${e.left} of input ${e.scale_of}`;
      if (e.output_too) return `zero points of ${operands(e.inputs)} and of the output left out`;
      return e.left === 'zero point'
        ? `zero point of ${operands(e.inputs)} left in`
        : `${operands(e.inputs)} not brought to the output's scale`;
    },
    explanation: (e) => {
      if (e.sums)
        return 'A sum of products is in steps of s_x * s_w: it becomes a code where it is scaled to steps of s_y and rounded, and the zero point added.';
      if (e.branch)
        return `Input and output have a scale each: values ${e.branch} are taken in steps of the input, the others are not.`;
      if (e.copied) return 'Nothing was computed: the output holds the codes of one input, as they are.';
      if (e.raw === 'multiplied')
        return "A product of codes has the scale s_0 * s_1; it is taken as if it had the output's.";
      if (e.output_too)
        return 'Codes are scaled as they are: the code of zero, which differs from tensor to tensor, is scaled with them.';
      if (isZeroPointLeft(e))
        return 'A code stands for scale * (code - zero_point); input codes are taken as they are, without subtracting their zero point.';
      return `Codes of an input are taken as if they were ${e.scale_of === undefined && !e.exchanged ? "the output's" : "another input's"}: each has a scale and a zero point of its own.`;
    },
    ofOneLayer: true,
    evidence: (e, context) => [
      e.left && e.inputs && !e.exchanged && !e.output_too && !e.copied
        ? `the ${e.left} of ${operands(e.inputs)} took no part`
        : null,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? e.sums
          ? sumsFix(e)
          : e.copied
            ? 'compute the layer: no input stands in its place, whose codes have another scale'
            : e.raw === 'multiplied'
              ? 'multiply the product by s_0 * s_1 / s_y before the zero point of the output is added'
              : e.exchanged
                ? `read input 0 with its own ${e.left}, and input 1 with its own`
                : e.output_too
                  ? 'scale codes less their zero points, and add that of the output: (x - zero_point) * s_x / s_y + y_zero_point'
                  : e.branch
                    ? `multiply values ${e.branch} by s_x / s_y as well`
                    : isZeroPointLeft(e)
                      ? `subtract the zero point of ${operands(e.inputs)} first: x - zero_point`
                      : `bring ${operands(e.inputs)} to the output's scale first: s_x * (x - zero_point)`
        : declareKernel(context),
    code: (e, context) =>
      e.sums
        ? stepLines(requantized(e))!(e, context)
        : e.raw === 'multiplied' || e.copied
          ? []
          : stepLines([
              numpy(
                `real = x_scale * (x.astype(np.int32) - x_zero_point)  # of each input${isZeroPointLeft(e) ? '' : ', then added or joined'}`,
              ),
              inC('v = x_scale * (float)((int32_t)x[i] - X_ZERO_POINT);'),
            ])!(e, context),
  },
};

const isZeroPointLeft = (e: Partial<CauseEvidence['rescale-missing']>) =>
  e.left === 'zero point' && !e.exchanged && !e.output_too;

function ofSums(study: ProductStudy): Change[] {
  return rawSums(study).map(({ label, found, apply }) => ({
    cause: 'rescale-missing',
    coordinate: 'multiplier',
    freedom: FREEDOM.none,
    label,
    found,
    apply,
  }));
}

function sumsTitle({ sums, of_raw, relu }: RawSum): string {
  const kept = sums === 'clamped' ? 'clamped' : 'of which the low bits are kept';
  return `sums${of_raw ? ' of raw codes' : ''} taken for codes, ${kept}${relu === undefined ? '' : `, not below ${relu}`}`;
}

function sumsFix({ of_raw }: RawSum): string {
  const first = of_raw ? 'subtract the zero point of the input before multiplying; ' : '';
  return `${first}multiply each sum by s_x * s_w / s_y, a number a channel, round it, add the zero point of the output, and clamp`;
}

function requantized({ of_raw }: RawSum): Snippet[] {
  return [
    ...(of_raw ? INT32_SUMS : []),
    numpy('v = acc * (x_scale * w_scale / y_scale)  # acc with the int32 bias'),
    numpy('q = np.clip(np.rint(v) + y_zero_point, q_min, q_max)'),
    inC('q = (int32_t)rint(acc * MULTIPLIER[n]) + Y_ZERO_POINT;  /* qdiff table has them: multiplier_float32 */'),
    inC('q = q < Q_MIN ? Q_MIN : q > Q_MAX ? Q_MAX : q;'),
  ];
}

function ofBranches(study: TensorStudy): Change[] {
  return scriptsOfBranches(study).map(([branch, steps]) =>
    stepsChange('rescale-missing', 'multiplier', steps, { branch }),
  );
}

function changesOf({ declared, data }: Study, taken: readonly number[], output: QuantParams): Change[] {
  const { scale, zeroPoint } = output;
  // a mean of the output's scale has nothing to be brought to: another zero point is but what a pool pads with
  if (declared.kind === 'tensor' && declared.reads.length === 1 && (inputOf(declared) as QuantParams).scale === scale)
    return [];
  const ways: [Left, (own: QuantParams) => Partial<QuantParams>, scaleOf?: number][] = [
    ['scale', () => ({ scale })],
    // joined, they are copied
    ...(data.op === 'cat'
      ? []
      : [['scale and zero point', () => ({ scale, zeroPoint })] satisfies (typeof ways)[number]]),
    ['scale and zero point', () => ({ scale, zeroPoint: 0 })],
    ...(taken.length === 1 ? besides(declared, taken[0], output) : []).map((of) => byScaleOf(declared, of)),
    // of one value that is a cause of its own
    ...(declared.reads.length > 1 ? [['zero point', () => ({ zeroPoint: 0 })] satisfies (typeof ways)[number]] : []),
  ];
  return ways.flatMap(([left, params, scaleOf]): Change[] => {
    const owns = taken.map((i) => inputOf(declared, i) as QuantParams);
    if (!owns.every((own) => differs(own, params))) return [];
    // of the output's scale already, and taken from 0 on: that is a zero point left in
    if (left === 'scale and zero point' && owns.every((own) => own.scale === scale && params(own).zeroPoint === 0))
      return [];
    return [
      {
        cause: 'rescale-missing',
        coordinate: 'x_scale',
        ...(taken.length === 1 && { input: taken[0] }),
        freedom: FREEDOM.none,
        label: `${left} of ${taken.join()}${scaleOf === undefined ? '' : ` by ${scaleOf}`}`,
        found: { inputs: [...taken], left, ...(scaleOf !== undefined && { scale_of: scaleOf }) },
        apply: (setup) => taken.reduce((read, i) => withInput(read, params(inputOf(read, i) as QuantParams), i), setup),
      },
    ];
  });
}

/** Codes added to codes. */
function rawSum(study: Study, { scale, zeroPoint }: QuantParams): Change[] {
  const inputs = study.declared.reads.map((_, i) => i);
  if (!isTensorStudy(study) || !formOf(study)?.terms || zeroPoint === 0) return [];
  return [
    {
      cause: 'rescale-missing',
      coordinate: 'x_scale',
      freedom: FREEDOM.none,
      label: 'raw codes',
      found: { inputs, left: 'scale and zero point', raw: formOf(study)?.signs ? 'subtracted' : 'added' },
      apply: (setup) =>
        inputs.reduce((read, i) => withInput(read, { scale, zeroPoint: 0 }, i), withOutput(setup, { zeroPoint: 0 })),
    },
  ];
}

/** Codes less their zero points are multiplied, and no scale after them. */
function rawProduct(study: Study): Change[] {
  if (!isTensorStudy(study) || !study.free || study.data.op !== 'mul') return [];
  const { inputs: own } = study.declared.params;
  if (!own.every(isQuantized)) return [];
  const inputs = own.map((_, i) => i);
  const raw: Change = {
    cause: 'rescale-missing',
    coordinate: 'x_scale',
    freedom: FREEDOM.none,
    label: 'raw products',
    found: { inputs, left: 'scale', raw: 'multiplied' },
    apply: (setup) => inputs.reduce((read, i) => withInput(read, { scale: 1 }, i), withOutput(setup, { scale: 1 })),
  };
  return study.agreesOnSubset(raw.apply(study.declared)) ? [raw] : [];
}

/** Of so few values a sum of small codes is the other by chance. */
const FEWEST_COPIED = 8;

/** A layer that was skipped, or that wrote one operand in place of the result (apple/coreai-torch#112). */
function copies(study: Study): Change[] {
  if (!isTensorStudy(study) || !study.free || study.data.mismatched < FEWEST_COPIED) return [];
  const { inputs, output } = study.declared.params;
  if (inputs.length < 2 || !formOf(study)?.value) return [];
  return inputs.flatMap((own, i) => {
    // a part of what is joined fills no output: of a thousand each was replayed
    if (!isQuantized(own) || own.dtype !== output.dtype || study.subset.inputs[i].cols !== study.channels) return [];
    const copy: TensorSteps = {
      kind: 'tensor',
      equation: `the codes of input ${i}`,
      run: (call) => {
        const { data } = call.inputs[i];
        const computed = study.declared.steps.run(call);
        const codes = 'data' in computed ? computed.data : computed;
        return data.length === codes.length ? int32s(data, (code) => code) : computed;
      },
    };
    const change = stepsChange('rescale-missing', 'multiplier', copy, { inputs: [i], copied: true }) as Change;
    return study.agreesOnSubset(change.apply(study.declared)) ? [change] : [];
  });
}

/** However the mean itself is rounded. */
function ofMeans(study: Study): Change[] {
  if (!isTensorStudy(study)) return [];
  const found = { inputs: [0], left: 'scale' } as const;
  return scriptsWithoutScale(study).map((steps) => stepsChange('rescale-missing', 'multiplier', steps, found));
}

/** Codes times scales alone. */
function withoutZeroPoints(study: Study, { zeroPoint }: QuantParams): Change[] {
  const { reads } = study.declared;
  if (!isTensorStudy(study) || reads.length < 2 || zeroPoint === 0) return [];
  const owns = reads.map((_, i) => inputOf(study.declared, i));
  const inputs = owns.flatMap((own, i) => (isQuantized(own) && own.zeroPoint !== 0 ? i : []));
  if (inputs.length === 0) return [];
  return [
    {
      cause: 'rescale-missing',
      coordinate: 'x_scale',
      freedom: FREEDOM.none,
      label: 'no zero points',
      found: { inputs, left: 'zero point', output_too: true },
      apply: (setup) =>
        inputs.reduce((read, i) => withInput(read, { zeroPoint: 0 }, i), withOutput(setup, { zeroPoint: 0 })),
    },
  ];
}

/** The scales, or zero points, of two inputs in the other order; both are the inputs themselves in the other order. */
function exchanges({ declared }: Study): Change[] {
  const own = declared.reads.map((_, i) => inputOf(declared, i));
  const [a, b] = own;
  if (own.length !== 2 || !isQuantized(a) || !isQuantized(b)) return [];
  const [scales, zeroPoints] = [a.scale !== b.scale, a.zeroPoint !== b.zeroPoint];
  const ways: [Left, isOther: boolean, (of: QuantParams) => Partial<QuantParams>][] = [
    ['scale', scales, ({ scale }) => ({ scale })],
    ['zero point', zeroPoints, ({ zeroPoint }) => ({ zeroPoint })],
  ];
  return ways
    .filter(([, isOther]) => isOther)
    .map(([left, , params]) => ({
      cause: 'rescale-missing',
      coordinate: 'x_scale',
      freedom: FREEDOM.none,
      label: `${left} exchanged`,
      found: { inputs: [0, 1], left, exchanged: true },
      apply: (setup) => withInput(withInput(setup, params(b), 0), params(a), 1),
    }));
}

/** Joined or multiplied: one input with all that the other has, or both; of a sum that is the inputs themselves in another order. */
function ofAnother(study: Study): Change[] {
  const [a, b] = study.declared.reads.map((_, i) => inputOf(study.declared, i));
  if (!study.free || !isTensorStudy(study) || formOf(study)?.terms || study.declared.reads.length !== 2) return [];
  if (!isQuantized(a) || !isQuantized(b) || a.scale === b.scale || a.zeroPoint === b.zeroPoint) return [];
  const left = 'scale and zero point' satisfies Left;
  const of = (setup: Setup, input: number) => withInput(setup, paramsOf(input === 0 ? b : a), input);
  const change = (label: string, found: CauseEvidence['rescale-missing'], apply: Change['apply']): Change => {
    return { cause: 'rescale-missing', coordinate: 'x_scale', freedom: FREEDOM.none, label, found, apply };
  };
  return [
    change('all exchanged', { inputs: [0, 1], left, exchanged: true }, (setup) => of(of(setup, 0), 1)),
    ...[0, 1].map((i) =>
      change(`all of ${1 - i} for ${i}`, { inputs: [i], left, scale_of: 1 - i }, (setup) => of(setup, i)),
    ),
  ].filter(({ apply }) => study.agreesOnSubset(apply(study.declared)));
}

const paramsOf = ({ scale, zeroPoint }: QuantParams) => ({ scale, zeroPoint });

/** Codes are summed or joined as if both had the scale of one. */
function byScaleOf(declared: Setup, of: number): ['scale', () => Partial<QuantParams>, number] {
  const { scale } = inputOf(declared, of) as QuantParams;
  return ['scale', () => ({ scale }), of];
}

/** The first input of each scale that is not the output's. */
function besides(declared: Setup, input: number, output: QuantParams): number[] {
  const scales = declared.reads.map((_, i) => inputOf(declared, i)).map((own) => (isQuantized(own) ? own.scale : null));
  return scales.flatMap((scale, i) =>
    i === input || scale === null || scale === output.scale || scales.indexOf(scale) < i ? [] : i,
  );
}

function differs(own: QuantParams, params: (own: QuantParams) => Partial<QuantParams>): boolean {
  const { scale = own.scale, zeroPoint = own.zeroPoint } = params(own);
  return scale !== own.scale || zeroPoint !== own.zeroPoint;
}
