/** All weights changed by one rule that a converter or a memory of fewer bits has. */
import type { Product } from '../nouns/kernel.js';
import { clamp } from '../numeric/integer.js';
import { floor, roundHalfUp } from '../numeric/round.js';
import { FREEDOM, type ProductChange, withParams } from './setup.js';
import type { ProductStudy } from './study/study.js';

interface Rule {
  readonly name: string;
  readonly apply: (weight: number) => number;
}

const within = (lo: number, hi: number): Rule => ({
  name: `clamped to ${lo}..${hi}`,
  apply: (weight) => clamp(weight, lo, hi),
});

const BITS = [1, 2, 3, 4];

const RULES: readonly Rule[] = [
  within(-127, 127),
  within(-64, 63),
  within(-63, 63),
  ...BITS.map((bits) => ({ name: `without their lowest ${bits}`, bits, by: floor })),
  ...BITS.map((bits) => ({ name: `rounded to multiples of ${2 ** bits}`, bits, by: roundHalfUp })),
].map((rule) =>
  'apply' in rule
    ? rule
    : {
        name: rule.by === floor ? `${rule.name} ${rule.bits === 1 ? 'bit' : 'bits'}` : rule.name,
        apply: (weight: number) => rule.by(weight / 2 ** rule.bits) * 2 ** rule.bits,
      },
);

/** One of so many rules gives a few values by chance. */
const FEWEST = 5;

/** Those that change a weight. */
export function weightRules({ declared, data }: ProductStudy): ProductChange[] {
  const { weight } = declared.params;
  if (!(weight instanceof Int8Array) || data.mismatched < FEWEST) return [];
  return RULES.flatMap(({ name, apply }) => {
    if (weight.every((own) => apply(own) === own)) return [];
    let changed: Product['weight'] | null = null;
    return {
      cause: 'weight-value',
      coordinate: 'weights',
      freedom: FREEDOM.none,
      label: name,
      found: { rule: name },
      apply: (setup) => {
        changed ??= Int8Array.from(weight, (own) => clamp(apply(own), -128, 127));
        return withParams(setup, { weight: changed });
      },
    };
  });
}
