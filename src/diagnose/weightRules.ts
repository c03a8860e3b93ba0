/** All weights changed by one rule that a converter or a memory of fewer bits has. */
import type { Product } from '../nouns/kernel.js';
import { clamp } from '../numeric/integer.js';
import { floor, roundHalfUp } from '../numeric/round.js';
import { FREEDOM, type ProductChange, withParams } from './setup.js';
import { partOf } from './study/part.js';
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

interface Table {
  readonly name: string;
  /** What each code becomes. */
  readonly table: Int8Array;
}

const TABLES = RULES.map(
  ({ name, apply }): Table => ({
    name,
    table: Int8Array.from({ length: CODES }, (_, i) => clamp(apply(i + CODE_MIN), CODE_MIN, CODE_MAX)),
  }),
);

/** One of so many rules gives a few values by chance. */
const FEWEST = 5;

/**
 * The rules that give the subset, where the weights of a few channels do not tell that they do not: a million weights take each as long
 * as the rest of its trial.
 */
export function weightRules(study: ProductStudy): ProductChange[] {
  const { declared, data, glance } = study;
  const { weight } = declared.params;
  if (!(weight instanceof Int8Array) || data.mismatched < FEWEST) return [];
  const part = glance && partOf(study, glance);
  const mayGive = ({ weightsOf }: ProductChange) =>
    !part || study.mismatches(part.setupOf(weightsOf!), part.scope) === 0;
  return TABLES.map((rule) => changeTo(rule, weight)).filter(
    (rule) => mayGive(rule) && study.agreesOnSubset(rule.apply(declared)),
  );
}

function changeTo({ name, table }: Table, weight: Int8Array): ProductChange {
  let changed: Product['weight'] | null = null;
  return {
    cause: 'weight-value',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: name,
    found: { rule: name },
    weightsOf: (part) => mapped(part.weight as Int8Array, table),
    apply: (setup) => {
      changed ??= mapped(weight, table);
      return withParams(setup, { weight: changed });
    },
  };
}

function mapped(weight: Int8Array, table: Int8Array): Int8Array {
  const made = new Int8Array(weight.length);
  for (let i = 0; i < weight.length; i++) made[i] = table[weight[i] - CODE_MIN];
  return made;
}
