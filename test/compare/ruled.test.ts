/** A network whose layers have one rule in common, which each by itself does not show: a multiplier of n bits behind the point. */
import { describe, expect, it } from 'vitest';
import { ruledByAll } from '../../src/compare/candidate/ruled.js';
import type { LayerDiagnosis } from '../../src/diagnose/finding/explanation.js';
import type { Change } from '../../src/diagnose/setup.js';
import type { Report } from '../../src/nouns/report.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';

const [SAMPLES, INPUTS, OUTPUTS, LAYERS] = [256, 16, 32, 6];
const value = (scale: number) => ({ dtype: 'int8', scale, zero_point: 0 });

interface Layer {
  readonly weight: number[][];
  readonly scale: number;
  readonly output: number;
  readonly op?: 'conv1d';
}

type Requantize = (acc: number, multiplier: number, layer: number) => number;

let state = 11;
const next = () => {
  state = (48271 * state) % (2 ** 31 - 1);
  return state / 2 ** 31;
};
const between = (low: number, high: number) => low + (high - low) * next();
const codes = (count: number) => Array.from({ length: count }, () => Math.floor(between(-127, 128)));
const X = Array.from({ length: SAMPLES }, () => codes(INPUTS));
const NETWORK = Array.from({ length: LAYERS }, (): Layer => {
  return {
    weight: Array.from({ length: OUTPUTS }, () => codes(INPUTS)),
    scale: between(0.002, 0.01),
    output: between(2, 4),
  };
});

function valuesOf({ weight, scale, output }: Layer, index: number, requantize: Requantize, least: number): number[] {
  const multiplier = scale / output;
  return X.flatMap((x) =>
    weight.map((row) => {
      const acc = row.reduce((sum, w, k) => sum + w * x[k], 0);
      return Math.max(least, Math.min(127, requantize(acc, multiplier, index)));
    }),
  );
}

async function toldOf(requantize: Requantize, layers = NETWORK, activation: 'none' | 'relu' = 'none') {
  const least = activation === 'relu' ? 0 : -128;
  const all = (own: Requantize) =>
    Object.fromEntries(
      layers.map((layer, i) => {
        const dims = [SAMPLES, layer.weight.length, ...(layer.op ? [1] : [])];
        return [`fc${i}`, npy('int8', dims, valuesOf(layer, i, own, least))];
      }),
    );
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { kernel: 'numpy' },
    inputs: [
      { name: 'x', ...value(1) },
      { name: 'image', ...value(1), shape: [INPUTS, 1] },
    ],
    layers: layers.map(({ weight, scale, output, op }, i) => {
      const own = { name: `fc${i}`, weight_scale: scale, activation, output: value(output) };
      if (!op) return { ...own, op: 'linear', input: 'x', weight };
      const places = { stride: [1], padding: [[0, 0]], dilation: [1], groups: 1 };
      return { ...own, ...places, op, input: 'image', weight: weight.map((row) => row.map((w) => [w])) };
    }),
  };
  const codesOfX = npy('int8', [SAMPLES, INPUTS], X.flat());
  const exact: Requantize = (acc, multiplier) => roundHalfEven(acc * multiplier);
  const files = new Map<string, string>(
    Object.entries({
      'model.json': JSON.stringify(model),
      'capture.npz': npz({ x: codesOfX, image: npy('int8', [SAMPLES, INPUTS, 1], X.flat()), ...all(exact) }),
      'mine.npz': npz(all(requantize)),
    }) as never,
  );
  const run = cli(files);
  const argv = ['model.json', 'capture.npz', '--candidate', 'mine.npz', '--reporter'];
  const { stdout, stderr } = await run([...argv, 'json']);
  if (stdout === '') throw new Error(stderr);
  const layersIn = (text: string) => (JSON.parse(text) as Report).candidate_layers!;
  const inShards = async () => {
    const blobs = layers.map((_, i) => `${i}.blob`);
    for (const [i, blob] of blobs.entries())
      await run([...argv, `blob=${blob}`, '--shard', `${i + 1}/${blobs.length}`]);
    return layersIn((await run(['merge', ...blobs, '--reporter', 'json'])).stdout);
  };
  return { layers: layersIn(stdout), table: () => run([...argv, 'table']), inShards };
}

const fraction = (bits: number, multiplier: number) => Math.floor(multiplier * 2 ** bits + 0.5);
const halfUp =
  (bits: number): Requantize =>
  (acc, multiplier) =>
    Math.floor((acc * fraction(bits, multiplier)) / 2 ** bits + 0.5);
const down =
  (bits: number): Requantize =>
  (acc, multiplier) =>
    Math.floor((acc * fraction(bits, multiplier)) / 2 ** bits);

describe('k * 2^-n in every layer', () => {
  it('is told before an output scale of its own in each', async () => {
    const { layers, table } = await toldOf(halfUp(20));
    for (const { diagnosis, mismatched } of layers.filter((layer) => layer.mismatched! > 0)) {
      expect(diagnosis).toMatchObject({ causes: ['multiplier-short'], explained: mismatched });
      expect(diagnosis!.evidence['multiplier-short']).toMatchObject({ fraction: 20 });
    }
    const { stdout } = await table();
    expect(stdout).toMatch(/multiplier of 20 bits behind the\s+point/);
    expect(stdout).toMatch(/[*] 2\^-20 = /);
    expect(stdout).toMatch(/one rule gives all\s+values of 6 layers/);
  });

  it('is told where each layer by itself is explained by as few bits', async () => {
    const { layers } = await toldOf(halfUp(15), NETWORK.slice(0, 4));
    for (const { diagnosis } of layers) expect(diagnosis!.evidence['multiplier-short']).toMatchObject({ fraction: 15 });
  });

  it('of one layer alone it is one of two', async () => {
    const [{ diagnosis }] = (await toldOf(halfUp(20), NETWORK.slice(0, 1))).layers;
    expect(diagnosis!.causes).not.toEqual(['multiplier-short']);
  });

  it('is told beside a floor where a handful of values in each layer tell it', async () => {
    const { layers } = await toldOf(down(22));
    for (const { diagnosis, mismatched } of layers) {
      expect(diagnosis).toMatchObject({ causes: ['rounding-floor', 'multiplier-short'], explained: mismatched });
    }
  });

  it('beside a floor leaves truncation open behind a ReLU', async () => {
    const { layers } = await toldOf(down(15), NETWORK, 'relu');
    for (const { diagnosis } of layers) {
      const sets = [diagnosis!.causes, ...diagnosis!.indistinguishable.map(({ causes }) => causes)];
      for (const rounding of ['rounding-floor', 'rounding-truncate'])
        expect(sets.map((causes) => [...causes].sort())).toContainEqual(['multiplier-short', rounding]);
    }
  });

  it('is no rule where each layer has a scale of its own', async () => {
    const own = NETWORK.map(() => 1 + between(-6e-5, 6e-5));
    const { layers } = await toldOf((acc, multiplier, i) => roundHalfEven(acc * multiplier * own[i]));
    expect(layers.flatMap(({ diagnosis }) => diagnosis?.causes ?? [])).not.toContain('multiplier-short');
  });
});

describe('by chance', () => {
  const change = (own: Partial<Change>): Change => ({
    cause: 'multiplier-short',
    coordinate: 'multiplier',
    freedom: 0,
    label: '20 bits',
    apply: (setup) => setup,
    ...own,
  });
  const fitting = [{ label: '20 bits', chance: 1 / 64 }];
  const few = [change({ ruled: { own: [], fitting } })];
  const scale = [change({ cause: 'output-scale-wrong', coordinate: 'y_scale', freedom: 1, label: 'y' })];
  const unexplained: readonly Change[] = [];
  const floor = [change({ cause: 'rounding-floor', coordinate: 'round', label: 'floor' })];
  const ruledOf = (layers: readonly (readonly Change[])[]) => {
    const reports = layers.map((_, i) => ({ name: `fc${i}`, op: 'linear', diagnosis: { subject: 'candidate' } }));
    const found = layers.map((changes, i): [string, LayerDiagnosis] => {
      const told = changes === few ? { changes: [], refused: new Map([['multiplier-short', few]]) } : { changes };
      return [`fc${i}`, told as never];
    });
    return [...ruledByAll(reports as never, new Map(found)).keys()];
  };

  it('three layers of few values have a rule seldom', () => {
    expect(ruledOf([few, few, few])).toEqual(['fc0', 'fc1', 'fc2']);
    expect(ruledOf([few, few, few, ...Array(9).fill(floor)])).toEqual(['fc0', 'fc1', 'fc2']);
  });

  it('three of twelve do often, where the others cannot, or nothing explains them', () => {
    expect(ruledOf([few, few, few, ...Array(9).fill(scale)])).toEqual([]);
    expect(ruledOf([few, few, few, ...Array(9).fill(unexplained)])).toEqual([]);
  });
});

describe('what layers before one do', () => {
  it('is told of a layer of another op before a number that fits its values as well', async () => {
    const last = { ...NETWORK[5], weight: NETWORK[5].weight.slice(0, 1), op: 'conv1d' as const };
    const alone = await toldOf(halfUp(16), [last]);
    expect(alone.layers[0].diagnosis!.causes).not.toEqual(['multiplier-short']);
    const { layers } = await toldOf(halfUp(16), [...NETWORK.slice(0, 3), last]);
    const [told] = layers.slice(-1);
    expect(told.diagnosis).toMatchObject({ causes: ['multiplier-short'], explained: told.mismatched });
    const open = told.diagnosis!.indistinguishable.map(({ causes }) => causes);
    expect(open).toContainEqual(alone.layers[0].diagnosis!.causes);
  });

  const cut: Requantize = (acc, multiplier) => Math.trunc((acc * fraction(16, multiplier)) / 2 ** 16);

  it('is found beside a third mistake of one layer', async () => {
    const { layers } = await toldOf((acc, multiplier, i) => cut(acc, multiplier, i) + Number(i === 3));
    const causes = layers.map(({ diagnosis }) => [...diagnosis!.causes].sort());
    const all = ['multiplier-short', 'rounding-truncate'];
    expect(causes).toEqual(
      NETWORK.map((_, i) => (i === 3 ? [...all.slice(0, 1), 'output-zero-point-wrong', all[1]] : all)),
    );
  });

  it('is found beside a third mistake of the first layer, of which nothing is known then', async () => {
    const { layers, table } = await toldOf((acc, multiplier, i) => cut(acc, multiplier, i) + Number(i < 1));
    const causes = layers.map(({ diagnosis }) => [...diagnosis!.causes].sort());
    const all = ['multiplier-short', 'rounding-truncate'];
    expect(causes).toEqual(NETWORK.map((_, i) => (i < 1 ? [all[0], 'output-zero-point-wrong', all[1]] : all)));
    expect((await table()).stdout).not.toMatch(/ran out of time|layers before it/);
  });

  it('is found beside other mistakes of most layers, where one shows it by itself', async () => {
    const { layers, inShards } = await toldOf((acc, multiplier, i) => cut(acc, multiplier, i) + (i === 1 ? 0 : i + 1));
    expect(await inShards()).toEqual(layers);
    const causes = layers.map(({ diagnosis }) => [...diagnosis!.causes].sort());
    const all = ['multiplier-short', 'rounding-truncate'];
    expect(causes).toEqual(NETWORK.map((_, i) => (i === 1 ? all : [all[0], 'output-zero-point-wrong', all[1]])));
  });

  it('is told of those after a layer that nothing explains', async () => {
    const { layers } = await toldOf((acc, multiplier, i) =>
      i === 2 ? Math.floor(between(-128, 128)) : cut(acc, multiplier, i),
    );
    expect(layers.map(({ diagnosis }) => diagnosis!.causes.includes('unexplained'))).toEqual(
      NETWORK.map((_, i) => i === 2),
    );
  });
});
