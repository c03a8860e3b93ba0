/** A layer whose candidate may be stored as the file says, or in another order: which of the two is believed first. */
import { expect, it } from 'vitest';
import { type ReadingKind, readingsOf } from '../../src/compare/candidate/readings.js';
import type { ValueReader } from '../../src/nouns/capture.js';
import type { Layer } from '../../src/nouns/model.js';
import type { ReplaySession } from '../../src/replay/session.js';

const FEATURES = 200;
const output = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 } as const;
const layer = { name: 'a', op: 'requantize', inputs: ['x'], output } as unknown as Layer;
const readerOf = (codes: Uint8Array) => ({ features: FEATURES, read: async () => codes }) as unknown as ValueReader;
const observed = Uint8Array.from({ length: FEATURES }, (_, i) => i);

/** One on whose input so many of the observed values are others. */
function sessionOf(wrong: number, off: number): ReplaySession {
  const data = observed.map((code, i) => (i < wrong ? code + 100 : code));
  const input = readerOf(observed.toReversed().map((code) => code + off));
  const shapes = { inputs: [], output: { dims: [FEATURES], channelAxis: 0 } };
  const replay = async () => ({ rows: 1, cols: FEATURES, data, low: null, high: null, accumulator: null });
  const run = { kernel: { name: 'tflm', ops: {} }, input, inputs: [input], ready: { layer, shapes }, replay };
  return { whyNotReplayed: () => null, open: async () => run } as unknown as ReplaySession;
}

async function order(...sessions: readonly (readonly [ReadingKind, number, off?: number])[]): Promise<number[]> {
  const capture = { values: new Map() };
  const side = { from: 0, to: 1, fast: null, options: {}, capture, captureLayers: [], onCaptured: new Set() } as never;
  const values = { observed: readerOf(observed), zeroPoint: null, diff: null as never };
  const all = sessions.map(([kind, wrong, off]) => [kind, sessionOf(wrong, off ?? 0)] as const);
  return (await readingsOf(side, all, layer, values)).map(({ diff }) => diff.mismatched);
}

it('as it stands, where that leaves far less', async () => {
  expect(await order(['chained', 60], ['chained', 3], ['captured', 70])).toEqual([3, 60, 70]);
});

it('as it is taken to mean, where either leaves about as much, and its own input before the captured one', async () => {
  expect(await order(['chained', 60], ['chained', 20], ['captured', 70])).toEqual([60, 20, 70]);
  expect(await order(['chained', 9], ['chained', 3])).toEqual([9, 3]);
  expect(await order(['chained', 60, 1], ['chained', 3])).toEqual([60, 3]); // another sign, the same places
  expect(await order(['chained', 60], ['captured', 3])).toEqual([60, 3]);
});
