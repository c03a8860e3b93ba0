/**
 * Two formulas told against each other: what a side does and the other does not, and how it would do the same. Every number
 * is the formula's; nothing here knows a kernel.
 */
import type { Formula, Formulas } from '../finding/evidence.js';

type Multiplier = Formula['multiplier'];

/** Six digits. */
const short = (value: number): string => String(Number(value.toPrecision(6)));

const ROUNDINGS: Readonly<Record<string, string>> = {
  single: 'rounding once, half up',
  double: 'rounding twice, half up and then half away from zero',
  'double-up': 'rounding twice, both times half up',
};

/** How a person says it, and how it is written. */
const RULES: Readonly<Record<string, { readonly does: string; readonly write: string }>> = {
  halfEven: { does: 'ties to even', write: 'round ties to even: rint() or nearbyint() in C, np.rint in numpy' },
  halfAway: { does: 'ties away from zero', write: 'round ties away from zero: round() in C' },
  halfUp: { does: 'ties up', write: 'round ties up: floor(v + 0.5), or + (1 << (s - 1)) before a shift by s' },
  halfDown: { does: 'ties down', write: 'round ties down: ceil(v - 0.5)' },
  halfTowardZero: { does: 'ties towards zero', write: 'round ties towards zero: AP_RND_ZERO' },
  towardZero: { does: 'towards zero', write: 'cut the fraction off: a cast in C, np.trunc in numpy' },
  halfThenTowardZero: {
    does: 'towards zero after 0.5 was added',
    write: 'add 0.5, then cut the fraction off: (int)(v + 0.5) in C',
  },
  halfThenDownward: {
    does: 'down after 0.5 was added, or taken off what is negative',
    write: 'add 0.5, take it off what is negative, then round down',
  },
  downward: { does: 'down', write: 'round down: floor(), or an arithmetic shift to the right' },
  upward: { does: 'up', write: 'round up: ceil() in C, np.ceil in numpy' },
};

/** What is easily mistaken for the right rule. */
const MISTAKES: Readonly<Record<string, string>> = {
  halfAway: 'round() and lround() go away from zero',
  halfUp: 'floor(v + 0.5) and an added half before a shift go up',
  towardZero: 'a cast cuts off',
  halfThenTowardZero: '(int)(v + 0.5), and a division of a sum with half added, cut negative values off upwards',
  halfThenDownward: 'a shift to the right rounds down: the half is added to negative values too',
  downward: 'an arithmetic shift to the right floors',
  upward: 'ceil() takes every fraction up',
};

// ---------------------------------------------------------------- what they do

/** "yours multiplies by ...; PyTorch by ...", a sentence a step in which the two differ. tells: the causes that it is said of. */
export function stepSentences(
  own: string,
  found: Formula,
  other: string,
  met: Formula,
  tells: readonly string[] = [],
): string[] {
  if (found.multiplier.or_other && tells.length === 0)
    return [
      `${own} multiplies or rounds otherwise, in a way that these values do not tell; ${other} multiplies ${multiplierText(met)}`,
    ];
  const sentences: string[] = [];
  // an equation may say of several forms which does what
  const multiplies = found.multiplier.step !== met.multiplier.step && multiplierText(found) !== multiplierText(met);
  const tellsBias = tells.includes('bias-int32') || !isCarried(found, met);
  if (found.bias && met.bias && found.bias.step !== met.bias.step && tellsBias) {
    sentences.push(`${own} adds the bias ${biasText(found)}; ${other} ${biasText(met)}`);
  }
  if (multiplies) {
    sentences.push(
      found.multiplier.or_float
        ? `${own} ${openText(found)}: these values do not tell which; ${other} multiplies ${multiplierText(met)}`
        : (sameProduct(own, found, other, met) ??
            `${own} multiplies ${productText(untold(found, met), met)}; ${other} ${productText(untold(met, found), found)}`),
    );
  }
  if (!multiplies && found.rounding && met.rounding && found.rounding.step !== met.rounding.step) {
    sentences.push(`${own} rounds ${ruleText(found)}; ${other} ${ruleText(met)}`);
  }
  if (found.zero_point && met.zero_point && found.zero_point !== met.zero_point) {
    sentences.push(`${own} adds the zero point ${found.zero_point} rounding; ${other} ${met.zero_point} it`);
  }
  return sentences;
}

/** A rounding that both floats have is no difference, and where no tie occurs not known. */
function untold(formula: Formula, other: Formula): Formula {
  const isSame = formula.rounding?.step === other.rounding?.step;
  return isSame && !isInteger(formula.multiplier) && !isInteger(other.multiplier)
    ? { ...formula, rounding: null }
    : formula;
}

/** An integer multiplier takes an integer bias: that is no departure of its own. */
function isCarried(found: Formula, met: Formula): boolean {
  return isInteger(found.multiplier) !== isInteger(met.multiplier);
}

function isInteger({ int32 }: Multiplier): boolean {
  return int32 !== undefined;
}

function biasText({ bias }: Formula): string {
  const how = bias!.behind ? 'to the scaled sum' : bias!.rounded ? 'rounded to int32' : 'in float';
  return `${how} (${bias!.equation})`;
}

function multiplierText(formula: Formula): string {
  const { int32, shift = 0, rounding = '', equation, value, arithmetic, short: few } = formula.multiplier;
  if (int32 !== undefined) {
    const rounds = ROUNDINGS[rounding] ?? (formula.rounding ? `rounding ${ruleText(formula)}` : equation);
    return `by the int32 ${int32} * 2^${shift - 31} (channel ${formula.channel}), ${rounds}`;
  }
  const rule = formula.rounding && RULES[formula.rounding.step];
  const rounds = formula.rounding ? `, then rounds ${rule ? rule.does : formula.rounding.equation}` : '';
  if (few) return `by ${few.k} * 2^-${few.n} = ${short(value)} (channel ${formula.channel})${rounds}`;
  return `by the ${arithmetic} ${short(value)} (channel ${formula.channel}): ${equation}${rounds}`;
}

/** Of two floats that six digits do not tell apart, how each comes about. */
function productText(formula: Formula, other: Formula): string {
  const text = multiplierText(formula);
  return sameInDigits(formula, other) ? text.replace(/^by the (\w+) \S+ \(channel \d+\): /, 'as $1 ') : text;
}

function sameInDigits({ multiplier: one }: Formula, { multiplier: other }: Formula): boolean {
  const isFloat = (it: Multiplier) => !isInteger(it) && !it.short;
  return isFloat(one) && isFloat(other) && short(one.value) === short(other.value);
}

/** Both have the same number: only what becomes of the product differs. */
function sameProduct(own: string, found: Formula, other: string, met: Formula): string | null {
  const { multiplier, rounding } = found;
  const { int32, shift = 0, rounding: rounds = '' } = met.multiplier;
  const isCut = multiplier.arithmetic === 'fixed-point' && !multiplier.short && multiplier.int32 === undefined;
  if (!isCut || !rounding || int32 === undefined || !(rounds in ROUNDINGS)) return null;
  if (Math.abs(multiplier.value / (int32 * 2 ** (shift - 31)) - 1) > 2 ** -30) return null;
  const rule = RULES[rounding.step]?.does ?? rounding.equation;
  return `both multiply by the int32 ${int32} * 2^${shift - 31} (channel ${met.channel}); ${own} rounds ${multiplier.equation} ${rule}, ${other} ${ROUNDINGS[rounds].replace('rounding ', '')}`;
}

/** An integer or a float: what both of them do. */
function openText({ multiplier: { rounding } }: Formula): string {
  return rounding === 'single'
    ? 'rounds once, after an int32 multiplier or a float one'
    : 'multiplies by an int32, or by a float with one rounding';
}

function ruleText({ rounding }: Formula): string {
  return `${RULES[rounding!.step]?.does ?? 'otherwise'} (${rounding!.equation})`;
}

// ---------------------------------------------------------------- how one does as the other

type FormulaBias = NonNullable<Formula['bias']>;

function biasFix(found: FormulaBias, { rounded, equation }: FormulaBias): string {
  if (found.behind) return 'add the bias to the sum, as an int32, before it is multiplied';
  return rounded ? `round the bias to int32 first: ${equation}` : `add the bias in float: ${equation}`;
}

/** What to change in a side, step by step, to do as the other. `own`: steps that another cause's fix speaks of. */
export function stepFixes(found: Formula, met: Formula, own: ReadonlySet<string> = new Set()): string[] {
  const fixes: string[] = [];
  const multiplies = found.multiplier.step !== met.multiplier.step;
  const becomesInteger = multiplies && isInteger(met.multiplier);
  if (found.bias && met.bias && found.bias.step !== met.bias.step && !own.has('bias')) {
    fixes.push(biasFix(found.bias, met.bias));
  }
  if (multiplies) fixes.push(becomesInteger ? integerFix(found, met) : floatFix(found, met));
  if (!becomesInteger && met.rounding && found.rounding?.step !== met.rounding.step)
    fixes.push(roundingFix(found, met));
  if (found.zero_point && met.zero_point && found.zero_point !== met.zero_point) {
    fixes.push(
      met.zero_point === 'after'
        ? 'round first, then add the zero point: rint(v) + zero_point'
        : 'add the zero point before rounding: rint(v + zero_point)',
    );
  }
  return fixes;
}

function floatFix(found: Formula, met: Formula): string {
  const { equation, value, arithmetic, short: few } = met.multiplier;
  const { channel } = met;
  if (sameInDigits(found, met)) return `multiply as ${arithmetic} ${equation}`;
  if (few) return `multiply by ${few.k} * 2^-${few.n} (channel ${channel}): ${equation}`;
  return `multiply by the ${arithmetic} number ${short(value)} (channel ${channel}): ${equation}`;
}

const BEFORE_A_SHIFT: Readonly<Record<string, string | undefined>> = {
  halfThenTowardZero: 'shift to the right, which rounds down, in place of a division or a cast',
  halfThenDownward: 'add the half to negative values too before the shift',
};

/** The line that RTL, C and numpy share. */
function integerFix(found: Formula, met: Formula): string {
  const { int32 = 0, shift = 0, rounding = '', equation } = met.multiplier;
  const line = shiftLine(rounding, shift) ?? equation;
  const isRounded = found.rounding && ['downward', 'towardZero'].includes(found.rounding.step);
  const first =
    BEFORE_A_SHIFT[found.rounding?.step ?? ''] ??
    (found.multiplier.arithmetic === 'fixed-point' && isRounded
      ? 'add 1 << (s - 1) before the shift'
      : 'multiply by an int32');
  const m = `m = ${int32}, shift ${shift} for channel ${met.channel}`;
  return `${first}, ${ROUNDINGS[rounding] ?? 'as the other does'}: ${line} (${m})`;
}

function shiftLine(rounding: string, shift: number): string | null {
  const half = 'q = (acc * m + (1 << 30)) >> 31';
  const first = shift > 0 ? `q = ((acc << ${shift}) * m + (1 << 30)) >> 31` : half;
  if (rounding === 'single') return `(acc * m + (1 << (s - 1))) >> s with s = ${31 - shift}`;
  if (rounding === 'double' && shift < 0) {
    return `${first}, then (abs(q) + (1 << (s - 1))) >> s with the sign of q, s = ${-shift}`;
  }
  if (rounding === 'double-up' && shift < 0) return `${first}, then (q + (1 << (s - 1))) >> s with s = ${-shift}`;
  return rounding === 'double' || rounding === 'double-up' ? first : null;
}

function roundingFix(found: Formula, met: Formula): string {
  const { step, equation } = met.rounding!;
  const write = RULES[step]?.write ?? `round as ${equation}`;
  const mistake = found.rounding ? MISTAKES[found.rounding.step] : undefined;
  return mistake ? `${write}; ${mistake}` : write;
}

/** What the other side of a comparison does, as far as a side knows it. */
export function otherFormula({ met, declared }: Formulas): Formula {
  return met ?? declared;
}
