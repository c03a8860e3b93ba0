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

const multiples = (name: string, bits: number, by: (v: number) => number): Rule => ({
  name,
  apply: (weight) => by(weight / 2 ** bits) * 2 ** bits,
});

const BITS = [1, 2, 3, 4];

const RULES: readonly Rule[] = [
  within(-127, 127),
  within(-64, 63),
  within(-63, 63),
  ...BITS.map((bits) => multiples(`without their lowest ${bits} ${bits === 1 ? 'bit' : 'bits'}`, bits, floor)),
  ...BITS.map((bits) => multiples(`rounded to multiples of ${2 ** bits}`, bits, roundHalfUp)),
];

const [CODES, CODE_MIN, CODE_MAX] = [256, -128, 127];

/** What each code becomes. */
const TABLES = RULES.map(({ name, apply }) => ({
  name,
  table: Int8Array.from({ length: CODES }, (_, i) => clamp(apply(i + CODE_MIN), CODE_MIN, CODE_MAX)),
}));

/** One of so many rules gives a few values by chance. */
const FEWEST = 5;

/** Those that change a weight. By tables of all codes: a million weights asked one by one of each rule took 0.9 s. */
export function weightRules({ declared, data }: ProductStudy): ProductChange[] {
  const { weight } = declared.params;
  if (!(weight instanceof Int8Array) || data.mismatched < FEWEST) return [];
  const codes = codesIn(weight);
  return TABLES.flatMap(({ name, table }) => {
    if (codes.every((code) => table[code - CODE_MIN] === code)) return [];
    let changed: Product['weight'] | null = null;
    return {
      cause: 'weight-value',
      coordinate: 'weights',
      freedom: FREEDOM.none,
      label: name,
      found: { rule: name },
      apply: (setup) => {
        changed ??= mapped(weight, table);
        return withParams(setup, { weight: changed });
      },
    };
  });
}

function codesIn(weight: Int8Array): number[] {
  const isThere = new Uint8Array(CODES);
  for (let i = 0; i < weight.length; i++) isThere[weight[i] - CODE_MIN] = 1;
  return Array.from(isThere.keys(), (i) => i + CODE_MIN).filter((code) => isThere[code - CODE_MIN] === 1);
}

function mapped(weight: Int8Array, table: Int8Array): Int8Array {
  const made = new Int8Array(weight.length);
  for (let i = 0; i < weight.length; i++) made[i] = table[weight[i] - CODE_MIN];
  return made;
}
