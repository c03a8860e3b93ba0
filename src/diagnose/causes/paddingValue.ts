import { halfAway, halfEven, halfUp } from '../../kernels/steps/round.js';
import { isQuantized } from '../../nouns/value.js';
import { float64s } from '../../numeric/array.js';
import { HOLE } from '../../tensor/patches.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { bordersOf, isConvolution, madeOnce, mapTaps, patchOf, readOtherwise } from '../alternatives/geometry.js';
import { scriptsDividingCodes } from '../alternatives/meanRules.js';
import { countsPadding, isMaximum, lowestOf, maximumBeside, windowedOf, zerosOf } from '../alternatives/pools.js';
import { stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { sharedIntegers, sharedIntervals } from '../estimate/scalar.js';
import type { Borders, CauseEvidence, SomeChannels } from '../finding/evidence.js';
import { FREEDOM, inputOf, type ProductChange, type ProductSetup, type TensorChange } from '../setup.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, type ProductStudy, type TensorStudy } from '../study/study.js';
import { codeOf, padWith, spreadOver } from '../words/code.js';
import { bordersText, paddingText, sideText } from '../words/geometry.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'padding-value': SomeChannels &
      Borders & {
        /** Codes; or a mode in place of the found one. Absent: of a dynamic layer, whose zero point is another in each call. */
        readonly declared?: number;
        readonly of?: 'maximum';
        /** Of a transposed convolution: what lies between its inputs, around them, or both. */
        readonly where?: 'gaps' | 'edges' | 'both';
        /** What is read beyond the image, where the rows beside are read at its sides. */
        readonly beyond?: number;
        /** At one end of a spatial axis alone, or at both; axis 0 is the outermost. */
        readonly side?: { readonly axis: number; readonly end: 'start' | 'end' | 'both'; readonly axes: number };
        readonly found?: number | Mode;
      };
  }
}

/** Padding (or what stands between the inputs of a transposed convolution) holds another code than the zero point, or values of the image. */
export const paddingValue: Cause<'padding-value', 'product' | 'tensor'> = {
  code: 'padding-value',
  kinds: ['product', 'tensor'],
  needs: [
    (study) =>
      isConvolution(study)
        ? patchOf(study.declared as ProductSetup).taps.hasHoles
        : isMaximum(study) || countsPadding(study),
  ],
  whose: 'kernel',
  parameterFree: true,

  changes: (study) => {
    if (!isProductStudy(study))
      return isMaximum(study) ? besideMaximum(study as TensorStudy) : besideMean(study as TensorStudy);
    const codes = study.data.dynamic ? OF_DYNAMIC : [0];
    const others = codes.filter((code) => code !== zeroPointOf(study));
    const parts = study.data.dynamic ? [] : others.flatMap((code) => partsFilledWith(study, code));
    return [...others.map((code) => filledWith(study, code, FREEDOM.none)), ...parts, ...modes(study)];
  },

  estimate: (study, base) => {
    if (!isProductStudy(study) || base.kind !== 'product') return [];
    const zeroPoint = zeroPointOf(study);
    if (base.patches || zeroPoint === null) return [];
    // on each base of a pair they would take the time of others
    const sides = base === study.declared ? sidesFilled(study) : [];
    const intervals = sharedIntervals(study, base, (view, scope) => {
      const weights = weightsOnHoles(study, base, scope);
      return {
        slope: (i, n) => weights[i] * view.stepsPerUnit[n],
        offset: (i, n) => view.acc[i] * view.stepsPerUnit[n] + view.biasSteps[n],
      };
    });
    const { quantMin, quantMax } = study.declared.params.input;
    const codes = (intervals ? sharedIntegers(intervals) : [])
      .map((off) => zeroPoint + off)
      .filter((code) => code !== zeroPoint && code !== 0 && code >= quantMin && code <= quantMax)
      .map((code) => filledWith(study, code, FREEDOM.oneNumber));
    return [...sides, ...codes];
  },

  evidence: ({ study }) => (isProductStudy(study) ? { ...declaredIn(study), ...bordersOf(study) } : {}),

  words: {
    title: (e) => {
      const where = e.side ? ` ${sideText(e.side)}` : e.where === 'edges' ? ' at the edges' : '';
      const holds = hasGaps(e)
        ? `gaps between inputs${e.where === 'both' ? ' and padding' : ''} hold`
        : `padding${where} holds`;
      return `${holds} ${paddingText(e.found)}, not the ${e.of ? 'lowest code' : 'zero point'}`;
    },
    explanation: (e) =>
      e.of
        ? 'Padding is no value of the image: where a window has lower codes only, its maximum is what padding holds.'
        : `${hasGaps(e) ? 'What stands between inputs' : 'Padding'} is real 0, which is the zero point of the input; another code there is another value.`,
    ofOneLayer: true,
    evidence: (e) => [
      e.declared === undefined
        ? `padding with ${paddingText(e.found)}, whatever the zero point of the call`
        : `${e.of ? 'lowest code' : 'zero point'} ${e.declared}, ${hasGaps(e) ? 'gaps' : 'padding'} with ${paddingText(e.found)}${e.beyond === undefined ? '' : `, and with ${e.beyond} beyond the last of them`}`,
      bordersText(e),
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `${e.found === 'rows beside' ? 'check the column before memory is read, not the address alone, and ' : ''}${hasGaps(e) ? `fill the gaps between the inputs${e.where === 'both' ? ', and the padding,' : ''} of` : 'pad'} ${printable(context.layer)} with ${e.declared ?? 'the zero point'}, the ${e.of ? 'lowest code' : 'zero point'} of its input`
        : null,
    code: (e, context) => codeOf((hasGaps(e) ? spreadOver : padWith)(e.declared ?? 'x_zero_point'))(context),
  },
};

function hasGaps({ where }: Partial<CauseEvidence['padding-value']>): boolean {
  return where === 'gaps' || where === 'both';
}

/** Codes that a maximum takes from its padding. */
function besideMaximum(study: TensorStudy): TensorChange[] {
  const { window } = windowedOf(study)!;
  if (!study.free || !window.padding.some((ends) => ends.some((own) => own > 0))) return [];
  return zerosOf(study).map((code) =>
    stepsChange('padding-value', 'patches', maximumBeside(study, code, 'border'), {
      declared: lowestOf(study),
      found: code,
      of: 'maximum',
    }),
  );
}

/** Codes that a mean counts in its padding: raw codes, of which there are none. */
function besideMean(study: TensorStudy): TensorChange[] {
  const [input] = study.declared.params.inputs;
  if (!isQuantized(input) || input.zeroPoint === 0) return [];
  return [halfEven, halfAway, halfUp].flatMap((round) =>
    scriptsDividingCodes(study, round, true).map((steps) =>
      stepsChange('padding-value', 'patches', steps, { declared: input.zeroPoint, found: 0 }),
    ),
  );
}

/** A dynamic layer's codes are uint8 around a zero point of each call. */
const OF_DYNAMIC = [0, 128];

/** Null: a dynamic layer has one for each call. */
function zeroPointOf({ declared, data }: ProductStudy): number | null {
  return data.dynamic ? null : (inputOf(declared) as { zeroPoint: number }).zeroPoint;
}

function declaredIn(study: ProductStudy): { declared?: number } {
  const declared = zeroPointOf(study);
  return declared === null ? {} : { declared };
}

function filledWith(study: ProductStudy, code: number, freedom: number): ProductChange {
  const { window } = patchOf(study.declared);
  const isSpread = window.transposed && window.stride.some((step) => step > 1);
  const found = { ...declaredIn(study), found: code, ...(isSpread && { where: 'both' as const }) };
  return readOtherwise(study, {
    cause: 'padding-value',
    label: String(code),
    freedom,
    found,
    reading: () => ({ fill: code }),
  });
}

/** What is spread out by a stride has gaps, filled before it is padded: by two lines of code, of which one may be right. */
function partsFilledWith(study: ProductStudy, code: number): ProductChange[] {
  const { window, taps } = patchOf(study.declared);
  if (!window.transposed || !window.stride.some((step) => step > 1) || !taps.hasHoles) return [];
  const zeroPoint = zeroPointOf(study)!;
  return (['gaps', 'edges'] as const).map((where) =>
    readOtherwise(study, {
      cause: 'padding-value',
      label: `${where} ${code}`,
      found: { ...declaredIn(study), found: code, where },
      reading: () => {
        const isAtEdge = edgesOf(study);
        return {
          holds: (position, tap) => (isAtEdge(position, tap) === (where === 'edges') ? code : zeroPoint),
        };
      },
    }),
  );
}

/** Of a transposed convolution: whether a tap of an output position lies beyond the first or last input of an axis. */
function edgesOf(study: ProductStudy): (position: number, tap: number) => boolean {
  const { window, input, output } = patchOf(study.declared);
  const { kernel, stride, padding, dilation } = window;
  return (position, tap) => {
    const [places, taps] = [indicesOf(position, output), indicesOf(tap, kernel)];
    return input.some((size, axis) => {
      const at = places[axis] + padding[axis][0] - taps[axis] * dilation[axis];
      return at < 0 || at > (size - 1) * stride[axis];
    });
  };
}

type Mode = 'reflect' | 'replicate' | 'circular' | 'rows beside';

/** Which index of an axis stands for one outside of it; of the last axis one outside is read in the rows beside, where memory goes on. */
const MODES: Readonly<Record<Mode, (index: number, size: number, isLast: boolean) => number | null>> = {
  'rows beside': (index, size, isLast) => (isLast || (index >= 0 && index < size) ? index : null),
  reflect: (index, size) => (index < 0 ? -index : index >= size ? 2 * size - 2 - index : index),
  replicate: (index, size) => Math.min(Math.max(index, 0), size - 1),
  circular: (index, size) => ((index % size) + size) % size,
};

/** torch's padding modes, where the file says zeros, and an index along a row that nobody checks. */
function modes(study: ProductStudy): ProductChange[] {
  if (patchOf(study.declared).window.transposed) return [];
  const { length } = patchOf(study.declared).input;
  // of one axis what lies beside is another channel's
  const own = (Object.keys(MODES) as Mode[]).filter((mode) => mode !== 'rows beside' || length > 1);
  const zeroPoint = zeroPointOf(study);
  // memory that nobody wrote
  const beyond = length > 1 && zeroPoint ? [['rows beside', 0] as const] : [];
  return [...own.map((mode) => [mode, undefined] as const), ...beyond].map(([mode, fill]) =>
    readOtherwise(study, {
      cause: 'padding-value',
      label: fill === undefined ? mode : `${mode}, ${fill} beyond`,
      found: { ...declaredIn(study), found: mode, ...(fill !== undefined && { beyond: fill }) },
      reading: () => {
        const last = patchOf(study.declared).input.length - 1;
        const taps = reflected(study, (index, size, axis) => MODES[mode](index, size, axis === last));
        return { taps, ...(fill !== undefined && { fill }) };
      },
    }),
  );
}

/** One end of an axis, or both, that are padded by a line of code of their own. */
const sidesFilled = madeOnce((study: ProductStudy): ProductChange[] => {
  const { window, input } = patchOf(study.declared);
  const zeroPoint = zeroPointOf(study);
  if (window.transposed || zeroPoint === null) return [];
  const axes = input.length;
  const ends = (['start', 'end', 'both'] as const).filter((end) => axes > 1 || end !== 'both');
  const isBeyond = (end: (typeof ends)[number], index: number, size: number) =>
    (index < 0 && end !== 'end') || (index >= size && end !== 'start');
  return input.flatMap((_, axis) =>
    ends.flatMap((end) => {
      const side = { axis, end, axes };
      const filled = {
        cause: 'padding-value' as const,
        label: `0 at ${end} of axis ${axis}`,
        found: { declared: zeroPoint, found: 0, side },
        reading: () => {
          const indexOf = indicesRead(study);
          const isHere = (position: number, tap: number) => isBeyond(end, indexOf(position, tap, axis), input[axis]);
          return { holds: (position: number, tap: number) => (isHere(position, tap) ? 0 : zeroPoint) };
        },
      };
      const replicated = {
        cause: 'padding-value' as const,
        label: `replicated at ${end} of axis ${axis}`,
        found: { declared: zeroPoint, found: 'replicate' as const, side },
        reading: () => ({
          taps: reflected(study, (index, size, own) =>
            own === axis && isBeyond(end, index, size)
              ? MODES.replicate(index, size, false)
              : isBeyond('both', index, size)
                ? null
                : index,
          ),
        }),
      };
      return [...(zeroPoint === 0 ? [] : [filled]), replicated].map((one) => readOtherwise(study, one));
    }),
  );
});

/** The index along an axis that a tap of an output position reads, outside of the image too. */
function indicesRead(study: ProductStudy): (position: number, tap: number, axis: number) => number {
  const { window, output } = patchOf(study.declared);
  const { kernel, stride, padding, dilation } = window;
  const along = (sizes: readonly number[]) => {
    const below = sizes.map((_, axis) => sizeOf(sizes.slice(axis + 1)));
    return (place: number, axis: number) => Math.floor(place / below[axis]) % sizes[axis];
  };
  const [placeAlong, tapAlong] = [along(output), along(kernel)];
  return (position, tap, axis) =>
    placeAlong(position, axis) * stride[axis] - padding[axis][0] + tapAlong(tap, axis) * dilation[axis];
}

/** Taps on padding that read what another index holds; null, and what is outside: padding. */
function reflected(study: ProductStudy, place: (index: number, size: number, axis: number) => number | null) {
  const { taps, input } = patchOf(study.declared);
  const indexOf = indicesRead(study);
  return mapTaps(taps, (from, position, tap) => {
    if (from !== HOLE) return from;
    const found = input.reduce((before, size, axis) => {
      const own = place(indexOf(position, tap, axis), size, axis);
      return own === null ? Number.NaN : before * size + own;
    }, 0);
    return found >= 0 && found < sizeOf(input) ? found : HOLE;
  });
}

/** Of each value of a scope: the sum of the weights (without their zero point) that its padding is multiplied with. */
function weightsOnHoles(study: ProductStudy, base: ProductSetup, { samples, channels }: Scope): Float64Array {
  const { taps, inChannels } = patchOf(study.declared);
  const { weight, weightZeroPoint, inFeatures } = base.params;
  const list = channels ?? Array.from({ length: study.channels }, (_, n) => n);
  const byTap = list.map((n) =>
    float64s({ length: taps.taps }, (_, tap) => {
      const zero = weightZeroPoint[weightZeroPoint.length > 1 ? n : 0];
      let sum = 0;
      for (let k = tap * inChannels; k < (tap + 1) * inChannels; k++) sum += weight[n * inFeatures + k] - zero;
      return sum;
    }),
  );
  const sums = new Float64Array(samples.length * list.length);
  samples.forEach((row, r) => {
    const places = taps.at(row % taps.positions);
    for (let tap = 0; tap < places.length; tap++) {
      if (places[tap] !== HOLE) continue;
      for (let i = 0; i < list.length; i++) sums[r * list.length + i] += byTap[i][tap];
    }
  });
  return sums;
}
