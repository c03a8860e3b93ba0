/** What the searches of a run take in all is bounded by counted work: the same in every shard, and a layer alone is searched further. */
import { join } from 'node:path';
import { beforeAll, expect, it, vi } from 'vitest';
import { compare, comparePart } from '../../src/compare/compare.js';
import { whySearchedInPart } from '../../src/compare/layerReport.js';
import { workFor } from '../../src/diagnose/diagnose.js';
import { TensorEngine } from '../../src/diagnose/study/tensorEngine.js';
import { COST, SearchWork, Work } from '../../src/diagnose/study/work.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import type { Capture } from '../../src/nouns/capture.js';
import type { Model } from '../../src/nouns/model.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const LAYERS = 9;
const files = new Map<string, string>();
const run = cli(files);
const argv = ['noise.json', 'noise.npz', '--reporter'];

/** Each layer reads noise and gives noise. */
beforeAll(() => {
  let state = 7;
  const noise = (count: number, from: number, to: number) =>
    Array.from({ length: count }, () => {
      state = (Math.imul(state, 1103515245) + 12345) >>> 0;
      return from + ((state >>> 8) % (to - from));
    });
  const value = { dtype: 'uint8', scale: 0.05, zero_point: 128 };
  const names = Array.from({ length: LAYERS }, (_, i) => [`x${i}`, `fc${i}`] as const);
  const rows = () => Array.from({ length: 4 }, () => noise(4, -127, 128));
  const arrays = names.flat().map((name) => [name, npy('uint8', [48, 4], noise(192, 0, 256))] as const);
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'x86' },
    inputs: names.map(([name]) => ({ name, ...value })),
    layers: names.map(([input, name]) => {
      return { name, op: 'linear', input, weight: rows(), weight_scale: 0.01, bias: [0.5, -1, 2, 0], output: value };
    }),
  };
  files.set('noise.json', JSON.stringify(model));
  files.set('noise.npz', npz(Object.fromEntries(arrays)) as never);
});

interface Searched {
  readonly name: string;
  readonly diagnosis: { readonly evidence: { readonly unexplained: { hypotheses: number; cut_short?: boolean } } };
}

async function searched(...more: string[]) {
  return evidenceIn((await run([...argv, 'json', ...more])).stdout);
}

function evidenceIn(report: string) {
  const { layers } = JSON.parse(report);
  return (layers as Searched[]).map(({ diagnosis: { evidence } }) => evidence.unexplained);
}

it('of layers of noise the first are searched for two causes, the last for one; alone each is', async () => {
  const all = await searched();
  const cut = all.map(({ cut_short }) => cut_short === true);
  expect([cut.at(0), cut.at(-1)]).toEqual([false, true]);
  expect(cut).toEqual(cut.toSorted());
  const [alone] = await searched('--layer', `fc${LAYERS - 1}`);
  expect(alone.cut_short).toBeUndefined();
  expect(alone.hypotheses).toBeGreaterThan(2 * all.at(-1)!.hypotheses);
  for (const shard of ['1/2', '2/2']) await run([...argv, `blob=${shard[0]}.blob`, '--shard', shard]);
  const { stdout } = await run(['merge', '1.blob', '2.blob', '--reporter', 'json']);
  expect(evidenceIn(stdout)).toEqual(all);
  expect(stdout).toContain('--layer searches it alone');
});

it('larger files are given as many times more, and what explains its layer counts nothing', () => {
  const [small, large, endless] = [new Work('candidate', 0), new Work('candidate', 4e6), new Work()];
  for (const work of [small, large, endless]) {
    work.beginLayer();
    work.beginSearch();
    work.add(9e8);
  }
  const all = [small, large, endless];
  for (const hasMetSums of [true, false])
    expect(all.map((work) => work.endsPairs(hasMetSums))).toEqual([true, false, false]);
  expect(all.map((work) => work.endsSingles)).toEqual([true, false, false]);
  expect(small.isOver).toBe(false); // it is the first
  for (const work of [small, large]) work.spend(work.endSearch(work === large));
  for (const work of [small, large]) work.beginLayer();
  expect([small.isShort, small.isOver]).toEqual([true, false]); // single causes of the next are sought, whatever one took
  small.beginSearch();
  small.add(1e9);
  small.spend(small.endSearch(false));
  small.beginLayer();
  expect([small.isShort, small.isOver]).toEqual([true, true]);
  large.add(1e12); // no search
  for (let layer = 0; layer < 9; layer++) explain(large);
  expect(large.isShort).toBe(false);
});

function explain(work: Work) {
  work.beginSearch();
  work.add(1e9);
  work.spend(work.endSearch(true));
  work.beginLayer();
}

it('layers that are each explained after long leave the next their single causes', () => {
  const work = new Work('candidate', 0);
  const told = [0, 1, 2, 3].map(() => {
    explain(work);
    return work.isShort;
  });
  expect(told).toEqual([false, false, true, true]);
  work.renew(); // what is explained by now gives none of it back
  work.beginLayer();
  expect([work.isShort, work.isOver]).toEqual([true, false]);
});

it('a network of many layers is given no more before it is short than its largest layer', () => {
  const [many, one] = [new Work('candidate', 4e7, 2e6), new Work('candidate', 4e7)];
  const took = [1e9, 1e9].map((cost) => {
    for (const work of [many, one]) {
      work.beginLayer();
      work.beginSearch();
      work.add(cost);
    }
    const ends = many.endsPairs(false);
    for (const work of [many, one]) work.spend(work.endSearch(false));
    return ends;
  });
  for (const work of [many, one]) work.beginLayer();
  expect(took).toEqual([false, true]); // a search by itself is bounded by the whole
  expect([many.isShort, one.isShort]).toEqual([true, false]);
  expect([many.isOver, one.isOver]).toEqual([true, false]);
});

it('a small file that holds millions of values is given as much as any of its size', () => {
  const values = new Map([['fc', { features: 1e6 }]]);
  const model = { layers: [] } as unknown as Model;
  const isEnding = (bytes?: number) => {
    const work = workFor('candidate', model, { samples: 100, values, bytes } as unknown as Capture);
    work.beginSearch();
    work.add(1e9);
    return work.endsSingles;
  };
  expect([isEnding(4e4), isEnding(9e7), isEnding()]).toEqual([true, false, false]);
});

it('where every hypothesis takes long not all that any layer has are tried, and it is said', () => {
  const work = new Work('capture', 0);
  work.beginLayer();
  work.beginSearch();
  const search = new SearchWork(work);
  work.add(2e9);
  expect([search.isEnding(true), search.isSpent, search.ended]).toEqual([false, false, null]);
  search.endDeep(); // what parts take comes on top
  work.add(1e9);
  expect([search.isEnding(true), search.isSpent, search.ended]).toEqual([true, true, 'out_of_time']);
});

it('to list changes may take half of what single causes do: what is listed is tried', () => {
  const work = new Work('candidate', 0);
  work.beginSearch();
  const search = new SearchWork(work);
  work.add(1.2e9);
  expect([search.mayList(), search.ended]).toEqual([true, null]);
  work.add(1e8);
  expect([search.mayList(), search.ended, search.isSpent]).toEqual([false, 'out_of_time', false]);
});

it('what layers may do that nobody saw is asked less often where thousands of them are replayed each time', () => {
  const timesOf = (asked: number) => {
    const work = new Work('candidate', 0);
    let times = 0;
    while (work.mayTryUnseen(0, asked) && !work.isSpentOnUnseen) times++;
    expect(work.isSpentOnUnseen).toBe(true);
    return times;
  };
  expect([timesOf(0), timesOf(5)]).toEqual([466, 454]);
  expect(timesOf(1000)).toBe(73);
});

it('of noise in a value that is joined of four hundred, changes of one operand are replayed no more often than is counted', async () => {
  const value = { dtype: 'uint8', scale: 0.05, zero_point: 128 };
  const names = Array.from({ length: 400 }, (_, i) => `x${i}`);
  const inputs = names.map((name, i) => ({ name, ...value, scale: 0.01 + i / 1e4, shape: [3] }));
  const layers = [{ name: 'c', op: 'cat', input: names, dim: 1, output: value }];
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'x86' },
    inputs,
    layers,
  };
  files.set('cat.json', JSON.stringify(model));
  const codes = (count: number) => Array.from({ length: count }, (_, i) => (Math.imul(i + 5, 2654435761) >>> 9) & 255);
  const arrays = names.map((name, i) => [name, npy('uint8', [4, 3], codes(12 + i).slice(i))] as const);
  files.set('cat.npz', npz({ ...Object.fromEntries(arrays), c: npy('uint8', [4, 1200], codes(4800)) }) as never);
  const replays = vi.spyOn(TensorEngine.prototype as unknown as { replay(): unknown }, 'replay');
  files.set('mine.npz', npz({ c: npy('uint8', [4, 1200], codes(4801).slice(1)) }) as never);
  const { stdout } = await run(['cat.json', 'cat.npz', '--candidate', 'mine.npz', '--reporter', 'json']);
  const { layers: captured, candidate_layers: own } = JSON.parse(stdout);
  const tried = [captured, own].map(([{ diagnosis }]) => diagnosis.evidence.unexplained.hypotheses);
  expect(replays.mock.calls.length).toBeLessThan(3 * (tried[0] + tried[1]));
  replays.mockRestore();
});

it('rows in another order are sought beside as many changes as a search may, and it is said where these are not all', () => {
  const work = new Work('candidate', 0);
  work.beginSearch();
  work.add(8e8); // of pairs
  const search = new SearchWork(work);
  search.beginArranged();
  const tried = Array.from({ length: 1000 }, () => {
    const may = search.mayArrange();
    if (may) work.add(COST.streams + 1000 * COST.sortedValue);
    return may;
  }).filter(Boolean).length;
  expect(tried).toBeGreaterThan(500);
  expect(tried).toBeLessThan(1000);
  expect(search.ended).toBe('out_of_time');
});

it('estimates of a million channels count more than sixteen times those of a sixteenth of them', () => {
  const tookBy = (channels: number) => {
    const work = new Work();
    work.beginSearch();
    new SearchWork(work).mayEstimate(channels, channels);
    return work.endSearch(false) - COST.search - COST.estimate;
  };
  expect(tookBy(1 << 10)).toBe(64 << 10); // as the limits were measured
  expect(tookBy(1 << 20)).toBeGreaterThan(290 * (1 << 20));
  expect(tookBy(1 << 20)).toBeGreaterThan(16 * tookBy(1 << 16));
});

const square = (side: number) => ({ dims: [side, side], channelAxis: 1 });

it.each([
  ['matmul', [square(64), square(64)], { adjX: false, adjY: false, alpha: 1 }, 64],
  ['avg_pool2d', [square(8)], { window: { kernel: [3, 3] } }, 270],
  ['max_pool2d', [square(8)], { window: { kernel: [1, 1] } }, 30],
])('a value of %s counts what it is made of', (op, inputs, attributes, terms) => {
  const layer = { op, form: { kind: 'tensor', attributes, activation: 'none' } };
  const spent: number[] = [];
  const work = { add: (nanoseconds: number) => spent.push(nanoseconds) } as unknown as Work;
  const context = { ready: { layer, shapes: { inputs } }, inCalls: { ends: [1] } } as never;
  const scope = { samples: [0], observed: new Uint8Array(100), inputs: [], channels: null };
  // counted before it is computed, of which this has nothing
  expect(() => new TensorEngine(context, work).outputs({ params: {} } as never, scope as never)).toThrow(TypeError);
  expect(spent).toEqual([100 * (COST.value + terms * COST.term) + COST.call]);
});

it('what happened in some samples is sought whatever pairs took before', async () => {
  const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'pytorch', 'digits-vnni');
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const { samples } = capture;
  const fc1 = capture.values.get('fc1')!;
  const data = (await fc1.read(0, samples)).slice().fill(0, (samples - 9) * fc1.features);
  const value = {
    ...fc1,
    read: async (from: number, to: number) => data.subarray(from * fc1.features, to * fc1.features),
  };
  const candidate = { ...capture, path: 'mine.npz', values: new Map([['fc1', value]]) };
  const { candidate_layers } = await compare(model, capture, { candidate });
  await model.close();
  expect(candidate_layers![0].diagnosis).toMatchObject({ causes: ['constant-values'], explained: 216 });
});

it('a shard that compares the whole for its answers searches no layer twice', async () => {
  const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'pytorch', 'digits-vnni');
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const fc1 = capture.values.get('fc1')!;
  const data = (await fc1.read(0, capture.samples)).map((code, i) => (i % 7 === 0 ? 255 - code : code));
  const read = async (from: number, to: number) => data.subarray(from * fc1.features, to * fc1.features);
  const values = new Map([...capture.values, ['fc1', { ...fc1, read }] as const]);
  const searched: string[] = [];
  const { answers } = await comparePart(model, { ...capture, values } as never, {
    shard: { index: 1, count: 2 },
    samples: { from: 0, to: 40 },
    onProgress: ({ layer, stage, tried }) => {
      if (stage === 'diagnose' && tried === 1) searched.push(layer);
    },
  });
  await model.close();
  expect(answers).not.toBeNull();
  expect(searched.filter((name) => name === 'fc1')).toHaveLength(1);
});

it.each([
  [{ cut_short: true, hypotheses: 900 }, 'two causes at once were not tried'],
  [{ cut_short: true }, 'no cause was sought'],
  [{ hypotheses: 900 }, null],
])('what was not searched is said: %o', (unexplained, words) => {
  const said = whySearchedInPart({ diagnosis: { evidence: { unexplained } } } as never);
  expect(said?.replace(/^.*may: (.*);.*$/, '$1') ?? null).toBe(words);
});

it('where a layer holds the right values in other places no two causes are sought: a dozen such layers took six seconds', async () => {
  const folder = join(import.meta.dirname, '..', '..', 'fixtures', 'pytorch', 'digits-vnni');
  const model = await openModel(nodeFileSystem, join(folder, 'model.json'));
  const capture = await openCapture(nodeFileSystem, join(folder, 'capture.npz'), model);
  const fc2 = capture.values.get('fc2')!;
  const { features } = fc2;
  const right = await fc2.read(0, capture.samples);
  const triedOf = async (valueAt: (place: number) => number) => {
    const data = right.map((_, i) => valueAt(i));
    const read = async (from: number, to: number) => data.subarray(from * features, to * features);
    const candidate = { ...capture, path: 'mine.npz', values: new Map([['fc2', { ...fc2, read }]]) };
    let most = 0;
    const { candidate_layers } = await compare(model, capture, {
      candidate: candidate as never,
      onProgress: ({ tried = 0 }) => {
        most = Math.max(most, tried);
      },
    });
    return { most, causes: candidate_layers!.find(({ name }) => name === 'fc2')!.diagnosis!.causes };
  };
  const moved = (place: number) => place - (place % features) + ((place + 5) % features);
  const ordered = await triedOf((place) => right[moved(place)]);
  const noise = await triedOf((place) => right[(place * 7919 + 13) % right.length]);
  await model.close();
  expect([ordered.causes, noise.causes]).toEqual([['output-order'], ['unexplained']]);
  expect(ordered.most).toBeLessThan(noise.most / 3);
});
