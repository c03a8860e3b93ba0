/** Functions of one value in float32, by whichever library: how far a result may be off is known, which step it is is not. */
import type { GeluAttributes, SiluAttributes } from '../../nouns/attributes.js';
import type { Bounded } from '../../nouns/kernel.js';
import { gelu } from '../../numeric/gelu.js';
import { boundedReals, within } from './bounded.js';

/** exact, and the magnitude that its error is relative to: larger than itself where terms cancel. */
export type NearFunction = (x: number) => readonly [exact: number, magnitude: number];

/** 8 units in the last place: functions of Sleef, MLAS and Eigen, ATen's own erf, and the roundings around them. */
export const RELATIVE = 2 ** -21;

/** Of floats. */
export function realsNear(data: ArrayLike<number>, apply: NearFunction): Bounded {
  return boundedReals(data.length, (i) => {
    const [exact, magnitude] = apply(data[i]);
    return within(exact, magnitude * RELATIVE);
  });
}

/** Its error is relative to the result. */
export const ofResult = (apply: (x: number) => number) => (): NearFunction => (x) => {
  const exact = apply(x);
  return [exact, Math.abs(exact)];
};

export const geluNear = (attributes: unknown): NearFunction => {
  const { approximate } = attributes as GeluAttributes;
  return (x) => [gelu(x, approximate), Math.abs(x)];
};

/** The argument is rounded where it is no more x itself. */
export const siluNear = (attributes: unknown): NearFunction => {
  const { alpha } = attributes as SiluAttributes;
  const rounded = alpha === 1 ? 0 : Math.abs(alpha) / 8;
  return (x) => {
    const exact = x / (1 + Math.exp(-alpha * x));
    return [exact, Math.abs(exact) * (1 + rounded * Math.abs(x))];
  };
};
