/**
 * A function of one value by a table of few entries over a range around 0, as FPGAs and firmware have it: the nearest entry, the one
 * below, or a line between two.
 */
import { clamp } from '../../../numeric/integer.js';
import { floor, roundHalfEven, roundHalfUp } from '../../../numeric/round.js';
import type { TensorStudy } from '../../study/study.js';
import { formOf } from '../tensorSteps.js';
import { seenIn } from './lookups.js';

/** Input codes that differ: of some hundred tables one gives fewer by chance. */
const FEWEST_DIFFERING = 8;
const ENTRIES = [16, 32, 64, 128, 256, 512, 1024];
const RANGES = [2, 3, 4, 5, 6, 8, 10, 16];
const READS = ['the nearest of', 'the one below, of', 'lines between'] as const;

interface CoarseTable {
  readonly name: string;
  readonly apply: (x: number) => number;
}

/** That which gives every output code that is seen; null: none does, or several, of which it may be any. */
export function coarseTableOf(study: TensorStudy): CoarseTable | null {
  const seen = seenIn(study);
  const own = formOf(study)?.of?.(study.declared.params.attributes);
  if (!seen || !own) return null;
  const { input, output, pairs } = seen;
  const all = [...pairs].map(([code, codes]) => [(code - input.zeroPoint) * input.scale, ...codes] as const);
  if (all.filter(([, declared, observed]) => declared !== observed).length < FEWEST_DIFFERING) return null;
  const codeOf = (v: number) =>
    clamp(roundHalfEven(v / output.scale) + output.zeroPoint, output.quantMin, output.quantMax);
  const fitting = tablesOf(own).filter(({ apply }) => all.every(([x, , observed]) => codeOf(apply(x)) === observed));
  const [first, ...others] = fitting;
  return first && others.length === 0 ? { ...first, name: `${study.data.op} by ${first.name}` } : null;
}

/** From one end to the other, or up to the last entry before it. */
function tablesOf(own: (x: number) => number): CoarseTable[] {
  return RANGES.flatMap((range) =>
    ENTRIES.flatMap((entries) =>
      [entries - 1, entries].flatMap((steps) => READS.map((read) => tableOf(own, { range, entries, steps, read }))),
    ),
  );
}

interface Made {
  readonly range: number;
  readonly entries: number;
  /** How many make the range. */
  readonly steps: number;
  readonly read: (typeof READS)[number];
}

function tableOf(own: (x: number) => number, { range, entries, steps, read }: Made): CoarseTable {
  const step = (2 * range) / steps;
  const entry = (i: number) => own(clamp(i, 0, entries - 1) * step - range);
  const apply = (x: number) => {
    const at = (x + range) / step;
    if (read === 'the nearest of') return entry(roundHalfUp(at));
    const below = floor(at);
    if (read === 'the one below, of') return entry(below);
    return entry(below) + (entry(below + 1) - entry(below)) * (at - below);
  };
  const last = steps === entries ? ' without its end' : '';
  return { name: `${read} ${entries} entries from -${range} to ${range}${last}`, apply };
}
