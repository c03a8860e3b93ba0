/**
 * What a candidate's layer may have read: what the candidate says it read, its own value before it (or the replay of its own
 * values, of which it did not write the last), or the captured one, as a test bench feeds it.
 */
import type { LayerDiffResult } from '../diff/layerDiff.js';
import type { ValueReader } from '../nouns/capture.js';
import type { Fast } from '../nouns/kernel.js';
import type { Layer } from '../nouns/model.js';
import { blocks } from '../replay/blocks.js';
import type { LayerRun, ReplaySession } from '../replay/session.js';
import { afterRelu } from './alignment.js';
import { EXACT, layerDiff, rectified } from './layerReport.js';

export type ReadingKind = 'own' | 'chained' | 'captured';

export interface Reading {
  readonly kind: ReadingKind;
  readonly run: LayerRun;
  /** The observed values against the declared replay on this input. */
  readonly diff: LayerDiffResult;
}

export interface Samples {
  readonly from: number;
  readonly to: number;
  readonly fast: Fast;
}

/** In the order in which they are believed; an exact one ends the list. */
export async function readingsOf(
  samples: Samples,
  sessions: readonly (readonly [ReadingKind, ReplaySession])[],
  layer: Layer,
  { observed, zeroPoint }: { readonly observed: ValueReader; readonly zeroPoint: number | null },
): Promise<Reading[]> {
  const readings: Reading[] = [];
  for (const [kind, session] of sessions) {
    if (session.whyNotReplayed(layer)) continue;
    const run = await session.open(layer);
    if (await isTried(samples, run, readings)) continue;
    const reading = { kind, run, diff: await diffReplay(samples, run, observed, zeroPoint) };
    if (reading.diff.mismatched === 0) return [reading];
    readings.push(reading);
  }
  return readings;
}

/** Whether it was replayed so on equal values: a search would find the same again. */
async function isTried(samples: Samples, { kernel, inputs }: LayerRun, tried: readonly Reading[]): Promise<boolean> {
  for (const { run } of tried)
    if (run.kernel === kernel && (await firstDiffering(samples, inputs, run.inputs)) < 0) return true;
  return false;
}

/** Replays a layer as declared on its run's input, and counts where values differ from that. */
export async function diffReplay(
  { from, to, fast }: Samples,
  run: LayerRun,
  values: ValueReader,
  zeroPoint: number | null,
): Promise<LayerDiffResult> {
  const wanted = afterRelu(values, zeroPoint);
  const diff = layerDiff(run.ready.layer.output, run.ready.shapes.output, EXACT, fast);
  for (const [start, end] of blocks(from, to, run.input.features + values.features)) {
    const { data, low, high } = await run.replay(start, end);
    const expected = await wanted.read(start, end);
    if (zeroPoint === null) diff.add({ firstSample: start, expected, actual: data, low, high });
    else diff.add({ firstSample: start, expected, actual: rectified(data, zeroPoint) });
  }
  return diff.result();
}

/** Which of a layer's inputs is the first that is another on the other side; -1: none. */
export async function firstDiffering(
  samples: Samples,
  own: readonly ValueReader[],
  others: readonly ValueReader[],
): Promise<number> {
  for (const [i, reader] of own.entries()) if (await readersDiffer(samples, reader, others[i])) return i;
  return -1;
}

export async function readersDiffer(
  { from, to }: Pick<Samples, 'from' | 'to'>,
  one: ValueReader,
  other: ValueReader,
): Promise<boolean> {
  if (one === other) return false;
  for (const [start, end] of blocks(from, to, one.features)) {
    const b = await other.read(start, end);
    if ((await one.read(start, end)).some((v: number, i: number) => v !== b[i])) return true;
  }
  return false;
}
