/**
 * A layer that writes codes which its dtype does not hold and the other one of 8 bits does, and something else wrong with them: both are
 * said. Read back they are compared as all others are, after a ReLU too.
 */
import { otherReadings } from '../../diagnose/alternatives/readings.js';
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Capture } from '../../nouns/capture.js';
import type { Layer } from '../../nouns/model.js';
import type { LayerReport } from '../../nouns/report.js';
import { blocks } from '../../replay/blocks.js';
import { afterRelu, reluBetween } from '../alignment.js';
import type { OwnComparison } from '../comparison.js';
import { isUnexplained } from '../layerReport.js';
import { isSure, writtenAs } from './otherOrder.js';
import { type BothValues, diffReplay, type Reading } from './readings.js';
import { type Code, type Off, readBack } from './storedSigns.js';

/** What is found of the values read back. */
export interface InSign {
  readonly declared: Code;
  readonly off: Off;
  readonly values: BothValues;
  /** As they are written, and read back. */
  readonly stored: Reading;
  readonly reading: Reading;
  readonly found: LayerDiagnosis;
}

type Diagnose = (values: BothValues, reading: Reading) => Promise<LayerDiagnosis>;

/** Null: they are codes of its dtype, or are right but for that, or nothing explains them either way. */
export async function inOtherSign(
  comparison: OwnComparison,
  layer: Layer,
  readings: readonly Reading[],
  values: BothValues,
  diagnose: Diagnose,
): Promise<InSign | null> {
  const { work } = comparison.diagnosis;
  for (const { off, declared, own } of await readBacks(comparison, layer)) {
    const expected = comparison.capture.values.get(layer.name)!;
    const zeroPoint = await reluBetween(comparison, layer, own, expected);
    const both = {
      ...values,
      observed: afterRelu(own, zeroPoint),
      expected: afterRelu(expected, zeroPoint),
      zeroPoint,
    };
    for (const stored of readings) {
      const diff = await diffReplay(comparison, stored.run, both.observed, zeroPoint);
      if (diff.mismatched === 0) return null; // told as such
      const reading = { ...stored, diff };
      const inVain = work.setAside();
      const found = await diagnose(both, reading);
      work.spend(inVain);
      if (!isUnexplained(found.report) && found.changes.every(isSure))
        return { declared, off, values: both, stored, reading, found };
    }
  }
  return null;
}

/** Codes less or plus 128, or the same bytes: the one that is nearer to what was captured first. */
async function readBacks(comparison: OwnComparison, { name, output }: Layer) {
  const { candidate, capture, from, to } = comparison;
  const own = candidate.values.get(name)!;
  const declared = output?.dtype;
  if ((declared !== 'uint8' && declared !== 'int8') || own.dtype === declared || !/^u?int/.test(own.dtype)) return [];
  if (!(await writesOther(comparison, declared))) return [];
  const [[start, end]] = blocks(from, to, own.features);
  const expected = await capture.values.get(name)!.read(start, end);
  const read = otherReadings(declared).map(({ off, map }) => ({
    off,
    declared,
    own: readBack(own, declared, map.back!),
  }));
  const distances = await Promise.all(read.map(async (one) => distance(await one.own.read(start, end), expected)));
  return distances[0] <= distances[1] ? read : read.reverse();
}

const known = new WeakMap<Capture, Map<Code, Promise<boolean>>>();

/** Whether some of its values are no codes of the dtype, and all of them are codes of the other one: after a ReLU both may hold them. */
function writesOther(comparison: OwnComparison, declared: Code): Promise<boolean> {
  const { candidate } = comparison;
  const asked = known.get(candidate) ?? new Map<Code, Promise<boolean>>();
  known.set(candidate, asked);
  if (!asked.has(declared)) asked.set(declared, isOther(comparison, declared));
  return asked.get(declared)!;
}

async function isOther({ candidate, session, from, to }: OwnComparison, declared: Code): Promise<boolean> {
  const [least, most] = declared === 'uint8' ? [-128, 127] : [0, 255];
  let isMet = false;
  for (const [name, value] of candidate.values) {
    if (session.paramsOf(name)?.dtype !== declared || !/^u?int/.test(value.dtype)) continue;
    for (const [start, end] of blocks(from, to, value.features))
      for (const code of await value.read(start, end)) {
        if (code < least || code > most) return false;
        if (declared === 'uint8' ? code < 0 : code > 127) isMet = true;
      }
  }
  return isMet;
}

function distance(one: NumericArray, other: NumericArray): number {
  let sum = 0;
  for (let i = 0; i < one.length; i++) sum += Math.abs(one[i] - other[i]);
  return sum;
}

/** What was found of the values read back, and how they are written. */
export function withSign(
  comparison: OwnComparison,
  report: LayerReport,
  { declared, off, reading }: InSign,
  found: LayerDiagnosis,
): LayerDiagnosis {
  const read_as = declared === 'uint8' ? ('int8' as const) : ('uint8' as const);
  const evidence = { of: 'output' as const, declared, read_as, off_by: off };
  return writtenAs(comparison, report, { signedness: evidence }, reading, found);
}
