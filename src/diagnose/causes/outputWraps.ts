import { roundThenOffset } from '../../kernels/steps/offsetAndClamp.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { clamp, wrapInt8, wrapUint8, wrapUint16 } from '../../numeric/integer.js';
import { addsZeroPointFirst } from '../alternatives/departures.js';
import { scriptsToNearest } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { anyRuntime, converts, writesCodes } from '../facts.js';
import type { At, CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, type Setup, withOutput, withParams, withSteps } from '../setup.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { clampTo } from '../words/code.js';
import { declareCode, declareKernel } from '../words/fixes.js';
import { number } from '../words/parts.js';
import { place } from '../words/place.js';
import { countWhere } from './count.js';
import { placeAt } from './placeAt.js';
import { hasRelu } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'output-wraps': SomeChannels & {
      readonly dtype?: string;
      /** Rounded values are kept in it, and the zero point is added after. */
      readonly before_zero_point?: true;
      /** They are clamped to it, and the sum wraps. */
      readonly clamped?: true;
      /** Of the zero point, after the clamp. */
      readonly added_again?: true;
      /** What leaves the range elsewhere is clamped, or has lost its sign. */
      readonly where?: Part;
      /** Values that leave the dtype's codes. */
      readonly wrapped?: number;
      readonly first?: At & { readonly unclamped: number; readonly stored: number };
    };
  }
}

/** What becomes of a code that leaves the range on one side alone, where the other is clamped. */
type Part = 'below' | 'above' | 'sign';

const [INT32_MIN, INT32_MAX] = [-(2 ** 31), 2 ** 31 - 1];

/** The low bits of a code were kept where the reference clamps: astype(np.uint8), (uint8_t)y, AP_WRAP. */
export const outputWraps: Cause<'output-wraps'> = {
  code: 'output-wraps',
  kinds: ['product', 'elementwise', 'tensor'],
  needs: [writesCodes, converts, anyRuntime],
  whose: 'kernel',

  changes: (study) => {
    const { output } = study.declared.params;
    if (!isQuantized(output) || output.dtype === 'int32') return [];
    // a kernel may saturate on its way; a script's real numbers do not
    const bases = [null, ...(isTensorStudy(study) ? scriptsToNearest(study, false) : [])];
    return bases.flatMap((steps) => [
      ...(hasRelu(study)
        ? [wrapped('clamped below first', null, steps), wrapped('clamped below last', output.zeroPoint, steps)]
        : [wrapped('wrapped', null, steps), ...inPart(study, output, steps)]),
      ...keptFirst(study, output, steps),
      ...addedLast(study, output, steps),
    ]);
  },

  // a script's steps come with it, and explain without it what leaves no range
  shows: ({ study, setup }) => {
    const { leaves } = unlimitedIn(study, setup);
    return study.subset.observed.some((_: number, i: number) => leaves(i));
  },

  evidence: ({ study, setup, without, change }) => {
    const { output } = study.declared.params;
    if (!isQuantized(output)) return {};
    const { unlimited, leaves } = unlimitedIn(study, setup);
    const kept = (change.found ?? {}) as CauseEvidence['output-wraps'];
    const clamped = study.values(without);
    const { observed } = study.subset;
    const at = observed.findIndex((value: number, i: number) => leaves(i) && value !== clamped[i]);
    const first = at < 0 ? {} : { first: { ...placeAt(study, at), unclamped: unlimited[at], stored: observed[at] } };
    return { dtype: output.dtype, ...kept, wrapped: countWhere(observed, (_, i) => leaves(i)), ...first };
  },

  words: {
    title: (e) =>
      e.added_again
        ? 'zero point added again after the clamp, the low bits kept'
        : e.before_zero_point
          ? `rounded values ${e.clamped ? 'clamped to' : 'kept in'} ${e.dtype}, the zero point added after${e.clamped ? ', the low bits kept' : ''}`
          : e.where === 'sign'
            ? 'codes below 0 lose their sign'
            : `output wraps${e.where ? ` ${e.where} the range alone,` : ''}${e.dtype ? ` at ${e.dtype}` : ''}`,
    explanation: (e) =>
      e.added_again || e.clamped
        ? 'The zero point comes after the clamp, so that the sum leaves the range; of it the low bits are kept.'
        : e.before_zero_point
          ? `What is rounded and has no zero point yet leaves the range of ${e.dtype}, of which the low bits are kept; then the zero point is added, and the sum clamped.`
          : e.where === 'sign'
            ? 'The magnitude of a code is kept, where the reference clamps what is below 0.'
            : `The low bits of a code are kept, where the reference clamps to the range of its dtype${e.where ? `; what is ${e.where === 'below' ? 'above' : 'below'} the range is clamped` : ''}.`,
    evidence: (e) => [
      e.first ? `${place(e.first)}: ${e.first.unclamped} becomes ${e.first.stored}` : null,
      number(e.wrapped, (n) => `${n} values leave the range`),
    ],
    fix: (e, context) => {
      if (context.subject !== 'candidate') return declareKernel(context);
      if (e.added_again) return 'add the zero point once, in int32, then clamp, then cast';
      if (e.before_zero_point) return 'add the zero point in int32, then clamp, then cast';
      const [dtype, range] = e.dtype === 'int8' ? ['int8', '-128, 127'] : ['uint8', '0, 255'];
      return `clamp before the cast: np.clip(q, ${range}).astype(np.${dtype}), or a saturating conversion`;
    },
    code: (e, context) =>
      context.subject === 'candidate'
        ? e.dtype === 'int8'
          ? clampTo(-128, 127)
          : clampTo(0, 255)
        : declareCode(context),
  },
};

/** Codes before they wrapped, and which of them leave the range. */
function unlimitedIn(study: Study, setup: Setup) {
  const { quantMin, quantMax } = study.declared.params.output as QuantParams;
  const unlimited = study.values({ ...setup, stores: null });
  const { stores } = setup;
  if (stores && stores.period === undefined)
    return { unlimited, leaves: (i: number) => stores.apply(unlimited[i]) !== clamp(unlimited[i], quantMin, quantMax) };
  return { unlimited, leaves: (i: number) => unlimited[i] < quantMin || unlimited[i] > quantMax };
}

/** least: where a ReLU clamps what has wrapped. steps: in place of a tensor's. */
function wrapped(label: string, least: number | null, steps: TensorSteps | null): Change {
  return {
    cause: 'output-wraps',
    coordinate: 'clamp',
    freedom: FREEDOM.none,
    label: steps ? `${label}, ${steps.equation}` : label,
    ...(steps && { rare: true as const }),
    apply: (setup) => {
      const { output } = setup.params;
      if (!isQuantized(output)) return setup;
      const { quantMin, quantMax } = output;
      const codes = quantMax - quantMin + 1;
      const wrap = (code: number) => code - codes * Math.floor((code - quantMin) / codes);
      const apply = least === null ? wrap : (code: number) => Math.max(least, wrap(code));
      const own = steps && setup.kind === 'tensor' ? { ...setup, steps } : setup;
      return { ...unlimited(own, least !== null), stores: { name: label, apply, period: codes } };
    },
  };
}

/** One value that is another is any number's magnitude. */
const FEWEST_OF_PART = 2;

const PARTS: Readonly<Record<Part, (output: QuantParams) => (code: number) => number>> = {
  below:
    ({ quantMax }) =>
    (code) =>
      Math.min(code, quantMax),
  above:
    ({ quantMin }) =>
    (code) =>
      Math.max(code, quantMin),
  sign:
    ({ quantMax }) =>
    (code) =>
      Math.min(Math.abs(code), quantMax),
};

/** One bound of two is forgotten, or unsigned codes are made of a number and its sign: where codes tell it from a wrap at both ends. */
function inPart(study: Study, output: QuantParams, steps: TensorSteps | null): Change[] {
  if (!study.free || study.data.mismatched < FEWEST_OF_PART) return [];
  const both = wrapped('wrapped', null, steps);
  const isUnsigned = output.quantMin === 0;
  const parts = (Object.keys(PARTS) as Part[]).filter((where) => where !== 'sign' || isUnsigned);
  const changes = parts.map((where): Change => {
    const own = wrapped(`wrapped ${where}`, null, steps);
    const bounded = PARTS[where](output);
    return {
      ...own,
      found: { where },
      apply: (setup) => {
        const applied = own.apply(setup);
        const { stores } = applied;
        return stores
          ? { ...applied, stores: { name: own.label, apply: (code) => stores.apply(bounded(code)) } }
          : applied;
      },
    };
  });
  return changes.filter(
    ({ apply }) => study.agreesOnSubset(apply(study.declared)) && !study.agreesOnSubset(both.apply(study.declared)),
  );
}

const UNSIGNED = 'an unsigned integer';
const KEPT = { int8: wrapInt8, uint8: wrapUint8, uint16: wrapUint16 } as const;

/** (uint8_t)round(v), or as int8, before the zero point is added: tried alone. */
function keptFirst(study: Study, output: QuantParams, steps: TensorSteps | null): Change[] {
  if (!study.free) return [];
  const { zeroPoint, quantMin, quantMax } = output;
  const isRelu = hasRelu(study);
  const least = isRelu ? Math.max(zeroPoint, quantMin) : quantMin;
  const kept = (Object.keys(KEPT) as (keyof typeof KEPT)[]).filter(
    (dtype) => zeroPoint !== 0 || dtype !== output.dtype,
  );
  const changes = kept.map((dtype): Change => {
    const own = wrapped(`${dtype} before the zero point`, isRelu ? zeroPoint : null, steps);
    const apply = (code: number) => clamp(KEPT[dtype](code - zeroPoint) + zeroPoint, least, quantMax);
    return {
      ...own,
      found: { dtype, before_zero_point: true },
      apply: (setup) => ({ ...own.apply(setup), stores: { name: own.label, apply } }),
    };
  });
  const fitting = changes.filter((change) => study.agreesOnSubset(change.apply(study.declared)));
  const isSigned = ({ found }: Change) => (found as { dtype: string }).dtype === 'int8';
  const [signed, unsigned] = [fitting.filter(isSigned), fitting.filter((change) => !isSigned(change))];
  // of no value a sign would be left in more bits
  const [first, ...others] = unsigned;
  const found = { dtype: UNSIGNED, before_zero_point: true as const };
  return others.length > 0 ? [...signed, { ...first, found }] : fitting;
}

const CLAMPED = { int8: [-128, 127], uint8: [0, 255] } as const;

/** The clamp comes before the zero point, which is added in 8 bits: once, or once more; where some sum leaves these. */
function addedLast(study: Study, output: QuantParams, steps: TensorSteps | null): Change[] {
  const { zeroPoint, quantMin, quantMax } = output;
  // what wraps by half of the codes is another sign
  if (!study.free || quantMax - quantMin !== 255 || zeroPoint % 128 === 0) return [];
  const isRelu = hasRelu(study);
  const least = isRelu ? Math.max(zeroPoint, quantMin) : Number.NEGATIVE_INFINITY;
  const wrap = (code: number) => code - 256 * Math.floor((code - quantMin) / 256);
  const leaves = (code: number) => code < quantMin || code > quantMax;
  const made = (label: string, found: CauseEvidence['output-wraps'], sum: (code: number) => number): Change[] => {
    const own = wrapped(label, isRelu ? zeroPoint : null, steps);
    const stores = { name: own.label, apply: (code: number) => wrap(sum(code)) };
    const change: Change = { ...own, found, apply: (setup) => ({ ...own.apply(setup), stores }) };
    const setup = change.apply(study.declared);
    if (!study.agreesOnSubset(setup)) return [];
    const codes = study.values({ ...setup, stores: null });
    return countWhere(codes, (code) => leaves(sum(code))) >= FEWEST_OF_PART ? [change] : [];
  };
  const clamped = (Object.keys(CLAMPED) as (keyof typeof CLAMPED)[]).flatMap((dtype) => {
    const [lo, hi] = CLAMPED[dtype];
    const sum = (code: number) => clamp(Math.max(code, least) - zeroPoint, lo, hi) + zeroPoint;
    return made(`${dtype}, then the zero point`, { dtype, before_zero_point: true, clamped: true }, sum);
  });
  const again = (code: number) => clamp(Math.max(code, least), quantMin, quantMax) + zeroPoint;
  return [...clamped, ...made('the zero point again', { added_again: true }, again)];
}

/** Codes of any size, of which a ReLU's lower bound stays unless it comes last. */
export function unlimited(setup: Setup, withoutRelu: boolean): Setup {
  const wide = withOutput(setup, { quantMin: INT32_MIN, quantMax: INT32_MAX });
  if (wide.kind === 'tensor') return withoutRelu ? withParams(wide, { activation: 'none' }) : wide;
  if (wide.kind !== 'product') return wide;
  const { offsetAndClamp } = wide.steps;
  const steps = addsZeroPointFirst(offsetAndClamp) ? wide : withSteps(wide, { offsetAndClamp: roundThenOffset });
  return withoutRelu ? { ...steps, params: { ...steps.params, activation: 'none' } } : steps;
}
