/** All weights changed by one rule that a converter or a memory of fewer bits has. */
import { isExact } from '../../kernels/steps/accumulate.js';
import type { Product } from '../../nouns/kernel.js';
import { emptyLike } from '../../numeric/array.js';
import { clamp } from '../../numeric/integer.js';
import { floor, roundHalfAway, roundHalfEven, roundHalfUp, truncate } from '../../numeric/round.js';
import { weightZeroPointOf } from '../../products/exactSums.js';
import { groupOf } from '../../products/groups.js';
import { FREEDOM, type ProductChange, withParams } from '../setup.js';
import { partOf } from '../study/part.js';
import type { ProductStudy } from '../study/study.js';
import { boundedIn } from './boundedValues.js';

interface Rule {
  readonly name: string;
  readonly apply: (weight: number) => number;
  /** What it gives is not kept in 8 bits: 64 doubled. */
  readonly wide?: true;
}

const within = (lo: number, hi: number): Rule => ({
  name: `clamped to ${lo}..${hi}`,
  apply: (weight) => clamp(weight, lo, hi),
});

const multiples = (name: string, bits: number, by: (v: number) => number): Rule => ({
  name,
  apply: (weight) => by(weight / 2 ** bits) * 2 ** bits,
});

/** oneDNN does so for int8 inputs where int16 pairs would saturate, and doubles the sums (uxlfoundation/oneDNN#375). */
const halved = (rounded: string, by: (v: number) => number): Rule => ({
  ...multiples(`halved, ${rounded}, then doubled`, 1, by),
  wide: true,
});

/** As weights of fewer bits are kept. */
const then = (first: Rule, last: Rule): Rule => ({
  name: `${first.name}, ${last.name}`,
  apply: (weight) => last.apply(first.apply(weight)),
});

const BITS = [1, 2, 3, 4];
const rounded = (bits: number, by: (v: number) => number) =>
  multiples(`rounded to multiples of ${2 ** bits}`, bits, by);

const RULES: readonly Rule[] = [
  within(-127, 127),
  within(-64, 63),
  within(-63, 63),
  ...BITS.map((bits) => multiples(`without their lowest ${bits} ${bits === 1 ? 'bit' : 'bits'}`, bits, floor)),
  ...BITS.map((bits) => rounded(bits, roundHalfUp)),
  halved('ties to even', roundHalfEven),
  halved('ties away from zero', roundHalfAway),
  halved('cut towards zero', truncate),
  { name: 'with their top bit flipped', apply: (weight) => (weight < 0 ? weight + 128 : weight - 128) },
  { name: 'with the other sign', apply: (weight) => -weight },
  { name: 'without their sign', apply: Math.abs },
  {
    name: "read as sign and magnitude, not two's complement",
    apply: (weight) => (weight < 0 ? -(weight & 127) : weight),
  },
  { name: "read as one's complement", apply: (weight) => (weight < 0 ? weight + 1 : weight) },
];

/** Of weights that are all of 4 bits: packed ones, unpacked by another rule (onnxruntime-qnn#728, ROCm/hip-ep#178). */
const UNPACKED: readonly Rule[] = [
  { name: 'of 4 bits read without a sign', apply: (weight) => weight & 15 },
  { name: 'with the top one of their 4 bits flipped', apply: (weight) => (weight < 0 ? weight + 8 : weight - 8) },
];

/** As an implementation of one's own keeps them in fewer bits, -8..7 or -7..7 of 4. */
const IN_FEWER_BITS = BITS.flatMap((bits) =>
  [roundHalfUp, roundHalfEven, roundHalfAway].flatMap((by) => {
    const [rule, most] = [rounded(bits, by), 128 - 2 ** bits];
    // 127 is nearer to 128 than to what 8 bits have below it
    const wide: Rule = { ...rule, name: `${rule.name}, 128 among them`, wide: true };
    return [rule, then(rule, within(-128, most)), then(rule, within(-most, most)), wide];
  }),
);

const [CODES, CODE_MIN, CODE_MAX] = [256, -128, 127];

interface Table {
  readonly name: string;
  /** What each code becomes. */
  readonly table: Int8Array | Int16Array;
}

function tableOf({ name, apply, wide }: Rule): Table {
  const table = new Int16Array(CODES);
  for (let i = 0; i < CODES; i++) {
    const weight = apply(i + CODE_MIN);
    table[i] = wide ? weight : clamp(weight, CODE_MIN, CODE_MAX);
  }
  return { name, table: wide ? table : new Int8Array(table) };
}

const OF_CANDIDATES = [...RULES, ...IN_FEWER_BITS];
const known = new Map<readonly Rule[], readonly Table[]>();

/** What is equal has the same, in 8 and in 16 bits. */
function bytesIn(table: Table['table']): string {
  return Buffer.from(new Int16Array(table).buffer).toString('latin1');
}

/** Of equal ones the first. Made when they are asked for: 60 tables take as long as a small layer. */
function tablesOf(rules: readonly Rule[]): readonly Table[] {
  const seen = new Set<string>();
  const isNew = ({ table }: Table) => seen.size < seen.add(bytesIn(table)).size;
  const tables = known.get(rules) ?? rules.map(tableOf).filter(isNew);
  known.set(rules, tables);
  return tables;
}

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
  const isNear = nearly(study);
  const tables = tablesOf(data.side === 'candidate' ? OF_CANDIDATES : RULES);
  const unpacked = weight.every((w) => w >= -8 && w < 8) ? tablesOf(UNPACKED) : [];
  return [...tables, ...unpacked]
    .filter(isNear)
    .map((rule) => changeTo(rule, weight))
    .filter((rule) => mayGive(rule) && study.agreesOnSubset(rule.apply(declared)));
}

/** So many values; on noise the first refutes nearly all rules. */
const FEW = 4;

/**
 * Whether a rule gives a few values, nearly. What the codes of a row add up to by the weight they meet takes 256 products a rule,
 * in place of as many as there are weights.
 */
function nearly(study: ProductStudy): (table: Table) => boolean {
  const { declared, data, engine } = study;
  const { params, steps } = declared;
  const { weight, inFeatures } = params;
  if (data.dynamic || steps.float || params.curve || params.addend || !isExact(steps.accumulate, params))
    return () => true;
  const { scope, tried } = boundedIn(study, declared);
  const codes = engine.codes(declared, scope);
  const inputs = engine.inputParams(declared, scope);
  const values = tried.slice(0, FEW).map(({ row, channel, admits }) => {
    const x = row * codes.cols + (codes.cols === inFeatures ? 0 : groupOf(params, channel)) * inFeatures;
    const met = new Float64Array(CODES);
    for (let k = 0; k < inFeatures; k++)
      met[weight[channel * inFeatures + k] - CODE_MIN] += codes.data[x + k] - inputs[row].zeroPoint;
    return { met, own: weightZeroPointOf(params, channel), admits };
  });
  return ({ table }) =>
    values.every(({ met, own, admits }) => {
      let sum = 0;
      for (let code = 0; code < CODES; code++) sum += met[code] * (table[code] - own);
      return admits(sum);
    });
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

function mapped(weight: Int8Array, table: Table['table']): Table['table'] {
  const made = emptyLike(table, weight.length);
  for (let i = 0; i < weight.length; i++) made[i] = table[weight[i] - CODE_MIN];
  return made;
}
