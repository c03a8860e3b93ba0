/** What is found of a layer on what it may have read, the likeliest first. */
import type { DifferingLayer } from '../../diagnose/diagnose.js';
import type { Evidence } from '../../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import { sumOfHashes } from '../../numeric/array.js';
import { once } from '../../once.js';
import { valuesOf, wantedOf } from '../beyond/otherOperands.js';
import { inOtherPlaces } from '../beyond/outputOrder.js';
import { inSamples } from '../differing.js';
import { isUnexplained } from '../layerReport.js';
import { type Case, differingOf } from './case.js';
import type { Reading } from './readings.js';

interface Searched {
  /** What explains it, and on which input; null: nothing. */
  readonly named: { readonly found: LayerDiagnosis; readonly reading: Reading } | null;
  /** On the likeliest input. */
  readonly nearest: LayerDiagnosis;
  /** All layers together tell; on what was captured, and on other operands, far more would differ. */
  readonly isOpen: boolean;
}

/** Values that are compared as what is held at all. */
const MOST_VALUES = 1 << 20;

export async function searched(one: Case, readings: readonly Reading[]): Promise<Searched> {
  const { diagnosis } = one.comparison;
  const haveMoved = once(() => haveOtherPlaces(one, readings));
  const asked: DifferingLayer[] = readings.map((reading, i) => ({
    ...differingOf(one, reading),
    met: one.met,
    // one cause on an input that is less likely comes before two on this one, which take as long as all that are single
    isElsewhere: async (isNear) =>
      (await isAny(areOfOne.slice(i + 1))) || (await haveMoved()) || (!isNear && isAny(areOfSeveral.slice(i + 1))),
  }));
  const areOfOne = asked.map((differing) => once(() => diagnosis.isOfOne(differing)));
  const areOfSeveral = asked.map((differing) => once(() => diagnosis.isOfSeveral(differing)));
  let named: Searched['named'] = null;
  let nearest: LayerDiagnosis | null = null;
  for (const [i, reading] of readings.entries()) {
    const found = await diagnosis.layer(asked[i]);
    nearest ??= inSamples(found, reading.run);
    if (found.isOpen || (found.refused && areFew(one, reading))) return { named, nearest, isOpen: true };
    if (isUnexplained(found.report)) continue;
    named ??= { found, reading };
    // such data tell little: on another input there may be arithmetic that gives them
    if (!isConstant(found) && !isTable(found)) return { named: { found, reading }, nearest, isOpen: false };
  }
  return { named, nearest: nearest!, isOpen: false };
}

async function isAny(tests: readonly (() => Promise<boolean>)[]): Promise<boolean> {
  for (const test of tests) if (await test()) return true;
  return false;
}

/** Of a layer: more than these, and it may have read something else. */
const FEW = 1 / 64;

function areFew({ report }: Case, { kind, diff }: Reading): boolean {
  return kind !== 'captured' && diff.mismatched <= FEW * report.values!;
}

export const isConstant = ({ report }: LayerDiagnosis) => report.causes.join() === 'constant-values';

/** One number a code is found where all layers follow from one code, whatever was read. */
function isTable({ report }: LayerDiagnosis): boolean {
  return (report.evidence as Evidence)['table-entry']?.entries !== undefined;
}

/** Whether on some input it holds all of the right values, in other places. */
async function haveOtherPlaces(one: Case, readings: readonly Reading[]): Promise<boolean> {
  const { comparison, observed } = one;
  const { from, to } = comparison;
  if ((to - from) * observed.features > MOST_VALUES) return false;
  const wanted = once(async () => sumOfHashes(await wantedOf({ ...one, from, to })));
  for (const reading of readings) {
    if (!mayHaveMoved(one, reading)) continue;
    if (sumOfHashes(await valuesOf({ ...one, from, to }, reading.run)) !== (await wanted())) continue;
    if (await inOtherPlaces({ ...comparison, ...one, subject: 'candidate', reading })) return true;
  }
  return false;
}

/** Codes in other places add up to the same. */
function mayHaveMoved({ zeroPoint }: Case, { diff: { unit, withinBound, meanDiff } }: Reading): boolean {
  return unit === 'ulp' || withinBound > 0 || zeroPoint !== null || meanDiff === 0;
}
