import type { NumericArray } from '../../nouns/array.js';
import { sumOfHashes } from '../../numeric/array.js';
import { largestOf } from '../../numeric/extremes.js';
import { wrapInt32 } from '../../numeric/integer.js';
import { blocks } from '../../replay/blocks.js';
import type { Cause } from '../cause.js';
import { rotationOf } from '../estimate/rotation.js';
import type { Permutation } from '../finding/evidence.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import { columnsOf, spreadOver } from '../study/arrays.js';
import type { Scope } from '../study/data.js';
import { gridOf } from '../study/sample.js';
import { isTensorStudy, type Study } from '../study/study.js';
import { COST } from '../study/work.js';
import { inOrder } from '../words/code.js';
import { parameterFix } from '../words/fixes.js';
import { number, permutationSentence } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'samples-misaligned': Permutation & { readonly moved?: number };
  }
}

/** Rows of observation and replay are compared as texts in memory up to this many values. */
const MOST_VALUES = 5e7;
/** Of so many each as a text takes seconds, of 16 million minutes: they are looked at where values are the same in some order. */
const MANY_ROWS = 1 << 16;
/** By which noise is told first. */
const FEW_CHANNELS = 8;

/** Rows in another order than the input's. */
export const samplesMisaligned: Cause<'samples-misaligned'> = {
  code: 'samples-misaligned',
  kinds: ['product', 'elementwise', 'tensor'],
  whose: 'capture',
  arrange: reordered,

  words: {
    title: 'samples in another order',
    explanation: 'The rows are the right ones in another order than the input.',
    ofOneLayer: true,
    evidence: (e) => [
      permutationSentence('sample', e),
      number(e.moved, (n) => `${n} rows are not where their input is`),
    ],
    fix: parameterFix(
      () => 'capture inputs and outputs in one run, without shuffling in between',
      'write the rows in the order of the captured input',
    ),
    code: (e, context) => (context.subject === 'candidate' ? inOrder('y', e) : []),
  },
};

/**
 * Every observed row must be a replayed row, with the same multiplicity: a repeated
 * row is not a permutation. Needs every judged sample; null where that is too much, or nothing moved.
 */
async function reordered(study: Study, base: Setup): Promise<Change | null> {
  // an image moves as a whole: its positions are rows of their own, but in another order they are no others' samples
  const positions = study.data.positions ?? 1;
  const rows = study.data.to - study.data.from;
  const samples = rows / positions;
  if (samples < 2 || rows * study.channels > MOST_VALUES) return null;
  if (study.complete ? !isOfColumn(study, base) : !(await isObserved(study, base, positions))) return null;
  if (rows > MANY_ROWS && !(await areSameValues(study, base))) return null;
  const places = new Map<string, number[]>();
  const { observed, replayed } = await rowsUnder(study, base);
  joinEvery(observed, positions);
  joinEvery(replayed, positions);
  replayed.forEach((text, row) => {
    const list = places.get(text);
    if (list) list.push(row);
    else places.set(text, [row]);
  });
  if (places.size < 2) return null;
  const shift = rotationOf(observed, replayed);
  const permutation = shift === null ? assign(observed, replayed, places) : null;
  if (shift === null && permutation === null) return null;
  const order = permutation ?? observed.map((_, sample) => (sample + shift!) % samples);
  return inOrderOf(order, positions, (from, row) => observed[row] !== replayed[row] && from !== row);
}

interface Column {
  readonly scope: Scope;
  readonly channel: number;
  /** In rising order. */
  readonly observed: NumericArray;
}

const columns = new WeakMap<Study, Column>();

/** Whether one channel's values are those that were observed, in any order: asked for beside each change, and of noise they are not. */
function isOfColumn(study: Study, base: Setup): boolean {
  const column = columns.get(study) ?? columnOf(study);
  columns.set(study, column);
  const { scope, observed } = column;
  study.data.work?.add(observed.length * COST.sortedValue);
  const replayed = isTensorStudy(study) ? ofWholeValues(study, base, column) : study.outputs(base, scope).data.slice();
  if (!replayed) return false;
  replayed.sort();
  return observed.every((value, row) => value === replayed[row] || Object.is(value, replayed[row]));
}

/** Whole values are computed as a whole, one after the other as long as each was observed; null: one was not. */
function ofWholeValues(study: Study, base: Setup, { channel, observed }: Column): NumericArray | null {
  const replayed = observed.slice();
  const isOne = new Set<number>(observed);
  let row = 0;
  const areObserved = (part: Scope) => {
    const own = columnsOf(study.outputs(base, part).data, part.samples.length, study.channels, [channel]);
    replayed.set(own as never, row);
    row += own.length;
    return own.every((value: number) => isOne.has(value));
  };
  return study.eachChunk(study.subset, areObserved, 1) ? replayed : null;
}

/** Of the channel that differs most. */
function columnOf(study: Study): Column {
  const counts = study.mismatchesByChannel(study.declared);
  const channel = counts.indexOf(largestOf(counts));
  const scope = gridOf(study.subset, [...study.subset.samples.keys()], [channel], study.channels);
  return { scope, channel, observed: scope.observed.slice().sort() };
}

/** Whether what the subset's rows of a sample that differs are to hold was observed of any sample: of noise it was not. */
async function isObserved(study: Study, base: Setup, positions: number): Promise<boolean> {
  const { data, subset, channels: width, differing } = study;
  const sampleOf = (row: number) => Math.floor(subset.samples[row] / positions);
  const own = sampleOf(Math.floor(Math.max(0, differing.indexOf(1)) / width));
  const rows = [...subset.samples.keys()].filter((row) => sampleOf(row) === own);
  // of all never a list: a sample may have 16 million values
  const channels = isTensorStudy(study) ? null : spreadOver([[0, width]], FEW_CHANNELS);
  const looked = channels?.length ?? width;
  const part = gridOf(subset, rows, channels, width);
  const replayed = study.outputs(base, part).data;
  if (part !== subset) study.engine.forget(part);
  const places = new Int32Array(rows.length * looked);
  let count = 0;
  for (const row of rows)
    for (let i = 0; i < looked; i++)
      places[count++] = (subset.samples[row] - own * positions) * width + (channels ? channels[i] : i);
  const each = positions * width;
  for (const [from, to] of blocks(data.from / positions, data.to / positions, each)) {
    const observed = await data.observed.read(from * positions, to * positions);
    for (let start = 0; start < observed.length; start += each)
      if (areAt(places, observed, start, replayed)) return true;
  }
  return false;
}

/** Whether values stand at some places from a start on; NaN is NaN, and 0 is -0. */
function areAt(places: Int32Array, observed: NumericArray, start: number, values: NumericArray): boolean {
  for (let i = 0; i < places.length; i++) if (!Object.is(observed[start + places[i]] + 0, values[i] + 0)) return false;
  return true;
}

/** Whether all rows together hold the values that were observed, as far as a sum of hashes tells. */
async function areSameValues(study: Study, base: Setup): Promise<boolean> {
  let left = 0;
  for await (const scope of study.blocks()) {
    left = (left + sumOfHashes(scope.observed) - sumOfHashes(study.outputs(base, scope).data)) | 0;
    study.release(scope);
  }
  return left === 0;
}

/** Every judged row, as text. */
async function rowsUnder(study: Study, base: Setup) {
  const [observed, replayed]: string[][] = [[], []];
  for await (const scope of study.blocks()) {
    for (const row of rowTexts(scope.observed, scope.samples.length)) observed.push(row);
    for (const row of rowTexts(study.outputs(base, scope).data, scope.samples.length)) replayed.push(row);
    study.release(scope);
  }
  return { observed, replayed };
}

/** Sample i is sample order[i] of the replay; null where too few have moved. */
export function inOrderOf(
  order: readonly number[],
  positions: number,
  isElsewhere: (from: number, row: number) => boolean = (from, row) => from !== row,
): Change | null {
  const moved = order.filter(isElsewhere).length;
  // two rows that happen to be swapped are found in noise sooner than four
  if (moved < 2) return null;
  const samples = order.length;
  const shift = order.every((from, row) => from === (row + order[0]) % samples) ? order[0] : null;
  return {
    cause: 'samples-misaligned',
    coordinate: 'rows',
    freedom: FREEDOM.permutationOrPatch,
    label: shift === null ? 'permutation' : `shift ${shift}`,
    found:
      shift === null ? { permutation: order, moved } : { shift: shift > samples / 2 ? shift - samples : shift, moved },
    apply: (setup) => ({ ...setup, order: rowsOf(order, positions) }),
  };
}

/** So many texts in one, in place. */
function joinEvery(texts: string[], count: number): void {
  if (count === 1) return;
  const joined = Array.from({ length: texts.length / count }, (_, i) =>
    texts.slice(i * count, (i + 1) * count).join('|'),
  );
  texts.splice(0, texts.length, ...joined);
}

function rowsOf(samples: readonly number[], positions: number): readonly number[] {
  if (positions === 1) return samples;
  return samples.flatMap((sample) => Array.from({ length: positions }, (_, i) => sample * positions + i));
}

/** Equal for equal rows; codes of any width (int64 ones come as doubles) by their bytes as int32. */
function rowTexts(values: NumericArray, rows: number): string[] {
  const width = values.length / rows;
  const isFloat =
    values instanceof Float32Array || (values instanceof Float64Array && !values.every((v) => wrapInt32(v) === v));
  return Array.from({ length: rows }, (_, row) => {
    const own = values.subarray(row * width, (row + 1) * width);
    return isFloat ? own.join(',') : Buffer.from(new Int32Array(own).buffer).toString('latin1');
  });
}

/** A bijection of rows, each to its own place where that fits; null if the rows are not the same ones. */
function assign(
  observed: readonly string[],
  replayed: readonly string[],
  places: Map<string, number[]>,
): number[] | null {
  const order = new Array<number>(observed.length).fill(-1);
  const taken = new Set<number>();
  const tried = new Map<readonly number[], number>(); // of places with the same text, so many are taken
  observed.forEach((text, row) => {
    if (text !== replayed[row]) return;
    order[row] = row;
    taken.add(row);
  });
  for (const [row, text] of observed.entries()) {
    if (order[row] >= 0) continue;
    const open = places.get(text) ?? [];
    let next = tried.get(open) ?? 0;
    while (next < open.length && taken.has(open[next])) next++;
    tried.set(open, next);
    const from = open[next];
    if (from === undefined) return null;
    order[row] = from;
    taken.add(from);
  }
  return order;
}
