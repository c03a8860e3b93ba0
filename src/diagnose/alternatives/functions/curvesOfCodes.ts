/** A function of one code as C computes it on codes: below 0 rounded otherwise, or by a slope that multiplies codes as they are stored. */
import { fill, reader } from '../../../kernels/steps/call.js';
import { downward, halfAway, halfEven, halfUp, towardZero } from '../../../kernels/steps/round.js';
import type { SlopeAttributes } from '../../../nouns/attributes.js';
import type { RoundStep, TensorSteps } from '../../../nouns/kernel.js';
import type { QuantParams } from '../../../nouns/value.js';
import { clamp } from '../../../numeric/integer.js';
import type { TensorStudy } from '../../study/study.js';
import { formOf } from '../tensorSteps.js';
import { seenIn } from './lookups.js';

/** Input codes that differ: of a hundred rules one gives fewer by chance. */
const FEWEST_DIFFERING = 8;
const NEAREST = [halfEven, halfUp, halfAway];
const CUT = [downward, towardZero];
const HOW = new Map<RoundStep, string>([
  [downward, 'rounded down'],
  [towardZero, 'rounded towards zero'],
]);

interface Curve {
  readonly name: string;
  readonly apply: (code: number) => number;
}

/** The plainest of those that give every output code that is seen; null: none. */
export function curveOfCodes(study: TensorStudy): readonly [name: string, TensorSteps] | null {
  const seen = seenIn(study);
  const attributes = study.declared.params.attributes;
  const own = formOf(study)?.of?.(attributes);
  if (!seen || !own) return null;
  const { input, output } = seen;
  const pairs = [...seen.pairs];
  if (pairs.filter(([, [declared, observed]]) => declared !== observed).length < FEWEST_DIFFERING) return null;
  const { negativeSlope: slope } = (attributes ?? {}) as Partial<SlopeAttributes>;
  const curves = [
    ...cutBelow(own, input, output),
    ...(study.data.op === 'leaky_relu' && slope !== undefined
      ? [...ofIntegerSlopes(slope, input, output), ...ofRawCodes(slope, input, output)]
      : []),
  ];
  const code = ({ apply }: Curve, q: number) => clamp(apply(q), output.quantMin, output.quantMax);
  const found = curves.find((curve) => pairs.every(([q, [, observed]]) => code(curve, q) === observed));
  if (!found) return null;
  const run: TensorSteps['run'] = (call) => {
    const read = reader(call, 0);
    return fill(call, (i) => code(found, read(i)));
  };
  const name = `${study.data.op}${found.name}`;
  return [name, { kind: 'tensor', equation: name, run }];
}

/** A shift or a division of what is negative, and half of it added to the rest. */
function cutBelow(own: (x: number) => number, input: QuantParams, output: QuantParams): Curve[] {
  const steps = (q: number) => own((q - input.zeroPoint) * input.scale) / output.scale;
  return NEAREST.flatMap((nearest) =>
    CUT.map((cut) => ({
      name: `, ${HOW.get(cut)} below 0`,
      apply: (q) => (q < input.zeroPoint ? cut : nearest).apply(steps(q)) + output.zeroPoint,
    })),
  );
}

const MOST_BITS = 12;
const SHIFTS: readonly (readonly [RoundStep, (k: number, n: number) => string])[] = [
  [downward, (k, n) => `${times(k)} >> ${n}`],
  [towardZero, (k, n) => `${times(k)} / ${2 ** n}`],
  [halfUp, (k, n) => `(${times(k)} + ${2 ** (n - 1)}) >> ${n}`],
];
const times = (k: number) => (k === 1 ? 'x' : `(x * ${k})`);

/** The slope as k / 2^n, or a shift near it: an integer in steps of the input, which is then brought to the output's scale. */
function ofIntegerSlopes(slope: number, input: QuantParams, output: QuantParams): Curve[] {
  const ratio = input.scale / output.scale;
  const numbers = Array.from({ length: MOST_BITS }, (_, i) => i + 1).flatMap((n) =>
    [...new Set([1, halfEven.apply(slope * 2 ** n), downward.apply(slope * 2 ** n)])]
      .filter((k) => k > 0 && (k % 2 === 1 || n === 1))
      .map((k) => [k, n] as const),
  );
  return numbers.flatMap(([k, n]) =>
    SHIFTS.flatMap(([shift, said]) =>
      NEAREST.map((nearest): Curve => {
        const below = (d: number) => shift.apply((d * k) / 2 ** n);
        return {
          name: `, ${said(k, n)} below 0 in steps of the input`,
          apply: (q) => {
            const d = q - input.zeroPoint;
            return nearest.apply((d < 0 ? below(d) : d) * ratio) + output.zeroPoint;
          },
        };
      }),
    ),
  );
}

/** scaled: brought to the output's scale; offset: the output's zero point is added. */
function ofRawCodes(slope: number, input: QuantParams, output: QuantParams): Curve[] {
  const ratio = input.scale / output.scale;
  return NEAREST.flatMap((nearest) =>
    [nearest, ...CUT].flatMap((round) =>
      [true, false].flatMap((scaled) =>
        [true, false].flatMap((offset): Curve[] => {
          const how = [scaled ? null : 'unscaled', offset ? null : 'without the zero point', HOW.get(round)];
          const said = how.map((part) => (part ? `, ${part}` : '')).join('');
          const [factor, added] = [scaled ? ratio : 1, offset ? output.zeroPoint : 0];
          const below = (q: number) => round.apply(slope * q * factor) + added;
          const right = (q: number) => nearest.apply((q - input.zeroPoint) * ratio) + output.zeroPoint;
          const all = (q: number) => (q < 0 ? below(q) : round.apply(q * factor) + added);
          return [
            {
              name: ` whose slope multiplies codes as they are${said}`,
              apply: (q) => (q < input.zeroPoint ? below : right)(q),
            },
            // unsigned codes have none below 0; scaled and moved it lacks the input's zero point alone
            ...(input.quantMin < 0 && !(scaled && offset)
              ? [{ name: ` of codes as they are${said}`, apply: all }]
              : []),
          ];
        }),
      ),
    ),
  );
}
