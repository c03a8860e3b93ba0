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
    ...(study.data.op === 'leaky_relu' && slope !== undefined ? ofRawCodes(slope, input, output) : []),
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
