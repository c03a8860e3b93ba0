import { expect, it } from 'vitest';
import { type Reading, readingsOf } from '../../src/compare/candidate/readings.js';
import { LayerDiff } from '../../src/diff/layerDiff.js';
import type { ValueReader } from '../../src/nouns/capture.js';
import type { Layer } from '../../src/nouns/model.js';
import type { LayerRun, ReplaySession } from '../../src/replay/session.js';

/** Of a sample, in four rows: so many that each sample is a block of its own. */
const FEATURES = 3 << 20;
const SAMPLES = 3;
const output = { dtype: 'uint8', scale: 1, zeroPoint: 0, quantMin: 0, quantMax: 255 } as const;
const layer = { name: 'conv', op: 'conv2d', inputs: ['x'], output } as unknown as Layer;

function readerOf(codes: Uint8Array): ValueReader {
  const read = async (from: number, to: number) => codes.subarray(from * FEATURES, to * FEATURES);
  return { features: FEATURES, read } as ValueReader;
}

const replayed = Uint8Array.from({ length: SAMPLES * FEATURES }, (_, i) => i % 251);
const observed = replayed.map((code) => code + 1);
const shape = { dims: [4, FEATURES / 4], channelAxis: 0 };
const compared = new LayerDiff({ shape, unit: 'lsb', zeroPoint: 0, tolerance: 0 });
compared.add({ firstSample: 0, expected: replayed, actual: observed });
const diff = compared.result();

/** What is read of a layer whose replay is asked for as often as `asked` tells. */
async function readOf(report: { readonly mismatched: number; readonly within_bound: number }, steps = {}) {
  const asked: (readonly [number, number])[] = [];
  const input = readerOf(new Uint8Array(SAMPLES * FEATURES));
  const shapes = { inputs: [], output: shape };
  const run = {
    kernel: { name: 'fbgemm', ops: { conv2d: { kind: 'product', ...steps } } },
    input,
    inputs: [input],
    ready: { layer, shapes },
    replay: async (from: number, to: number) => {
      asked.push([from, to]);
      const data = replayed.subarray(from * FEATURES, to * FEATURES);
      return {
        rows: 4 * (to - from),
        cols: FEATURES / 4,
        data,
        low: null,
        high: null,
        accumulator: null,
        overflowed: 0,
      };
    },
  } as unknown as LayerRun;
  const session = { whyNotReplayed: () => null, open: async () => run } as unknown as ReplaySession;
  const capture = { values: new Map([['conv', readerOf(replayed)]]) };
  const captureLayers = [{ name: 'conv', kernel: 'fbgemm', ...report }];
  const side = {
    from: 0,
    to: SAMPLES,
    fast: null,
    options: {},
    capture,
    captureLayers,
    onCaptured: new Set(),
  } as never;
  const values = { observed: readerOf(observed), zeroPoint: null, diff };
  const [reading] = await readingsOf(side, [['captured', session]], layer, values);
  return { reading, asked };
}

/** Whether it gives these; millions of numbers are compared as bytes. */
async function gives({ run }: Reading, from: number, to: number): Promise<boolean> {
  const { data } = await run.replay(from, to);
  return Buffer.compare(data as Uint8Array, replayed.subarray(from * FEATURES, to * FEATURES)) === 0;
}

it('a layer is replayed once: what is asked for later is kept', async () => {
  const { reading, asked } = await readOf({ mismatched: 5, within_bound: 0 });
  expect(reading.diff.mismatched).toBe(observed.length);
  expect(asked).toEqual([
    [0, 1],
    [1, 2],
    [2, 3],
  ]);
  expect(await gives(reading, 0, SAMPLES)).toBe(true);
  expect(await gives(reading, 1, 2)).toBe(true);
  expect(asked).toHaveLength(SAMPLES);
});

it('and not at all where the capture is known to be its replay', async () => {
  const { reading, asked } = await readOf({ mismatched: 0, within_bound: 0 });
  expect(reading.diff).toMatchObject({ mismatched: observed.length, firstMismatch: { expected: 1, actual: 0 } });
  expect(await gives(reading, 1, 2)).toBe(true);
  expect(asked).toEqual([]);
});

it('sums of floats are: each of its codes is one of several that the candidate may have', async () => {
  const { asked } = await readOf({ mismatched: 0, within_bound: 0 }, { float: {} });
  expect(asked).toHaveLength(SAMPLES);
});

/** Of a layer whose own value before it leaves a third of what the captured one does: which are read, in their order. */
async function kindsRead(onCaptured: readonly string[]): Promise<string[]> {
  const size = 300;
  const reads = (codes: Uint8Array): ValueReader => ({ features: size, read: async () => codes }) as never;
  const [wrong, right] = [new Uint8Array(size).fill(9), new Uint8Array(size)];
  const sessionOf = (data: Uint8Array, read: number) => {
    const input = reads(new Uint8Array(size).fill(read));
    const ready = { layer, shapes: { inputs: [], output: { dims: [size], channelAxis: 0 } } };
    const replay = async () => ({ rows: 1, cols: size, data, low: null, high: null, accumulator: null, overflowed: 0 });
    const run = { kernel: { name: 'fbgemm', ops: {} }, input, inputs: [input], ready, replay };
    return { whyNotReplayed: () => null, open: async () => run } as unknown as ReplaySession;
  };
  const nearer = right.map((_, i) => (i < 100 ? 0 : 9));
  const own = ['chained', sessionOf(nearer, 1)] as const;
  const side = { from: 0, to: 1, fast: null, options: {}, captureLayers: [], onCaptured: new Set(onCaptured) };
  const capture = { values: new Map() };
  const values = { observed: reads(wrong), zeroPoint: null, diff };
  const readings = await readingsOf(
    { ...side, capture } as never,
    [own, ['captured', sessionOf(right, 2)]],
    layer,
    values,
  );
  return readings.map(({ kind }) => kind);
}

it('what was captured is not read where it leaves far more, unless other layers are fed with it', async () => {
  expect(await kindsRead(['fc1'])).toEqual(['chained']);
  expect(await kindsRead(['fc1', 'fc2'])).toEqual(['chained', 'captured']);
});
