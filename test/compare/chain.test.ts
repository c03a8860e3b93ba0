/** Layers whose values a candidate does not have: what all of them do alike, seen in the last one alone. */
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { kernelByName } from '../../src/kernels/registry.js';
import { noBias } from '../../src/kernels/steps/bias.js';
import { downward, towardZero } from '../../src/kernels/steps/round.js';
import type { Product, ProductSteps } from '../../src/nouns/kernel.js';
import type { Report } from '../../src/nouns/report.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { replayProduct } from '../../src/replay/product.js';
import { replayedCapture } from '../../src/replay/reference.js';
import { ReplaySession } from '../../src/replay/session.js';
import { fbgemmWith, quant, randomFrom } from '../diagnose/world.js';
import { cli } from '../support/cli.js';
import { networkBy } from '../support/networkBy.js';
import { npy, npz } from '../support/npz.js';

const SAMPLES = 90;
const random = randomFrom(8);

function linear(inFeatures: number, outFeatures: number, input: QuantParams, output: QuantParams): Product {
  return {
    inFeatures,
    outFeatures,
    input,
    output,
    perChannel: false,
    activation: 'none',
    weight: Int8Array.from({ length: inFeatures * outFeatures }, () => random.integer(-90, 90)),
    weightScale: Float64Array.of(Math.fround(0.004)),
    weightZeroPoint: Int32Array.of(0),
    bias: Float32Array.from({ length: outFeatures }, () => random.normal()),
    biasInt32: null,
  };
}

const VALUES = [quant(Math.fround(0.02), 128), quant(Math.fround(0.06), 120), quant(Math.fround(0.09), 115)];
const FC1 = linear(10, 16, VALUES[0], VALUES[1]);
const FC2 = linear(16, 6, VALUES[1], VALUES[2]);
const X = Uint8Array.from({ length: SAMPLES * 10 }, () =>
  Math.max(0, Math.min(255, 128 + Math.round(45 * random.normal()))),
);

function outputsOf(steps: ProductSteps, ofLast = steps) {
  const run = (own: ProductSteps, product: Product, data: Uint8Array) =>
    Uint8Array.from(replayProduct(own, product, { rows: SAMPLES, cols: product.inFeatures, data }).data);
  const fc1 = run(steps, FC1, X);
  return { fc1, fc2: run(ofLast, FC2, fc1) };
}

const jsonOf = (name: string, input: string, { weight, inFeatures, weightScale, bias, output }: Product) => {
  const { dtype, scale, zeroPoint } = output as QuantParams;
  const rows = Array.from({ length: weight.length / inFeatures }, (_, n) => [
    ...weight.slice(n * inFeatures, (n + 1) * inFeatures),
  ]);
  return {
    name,
    op: 'linear',
    input,
    weight: rows,
    weight_scale: weightScale[0],
    bias: [...bias!],
    bias_dtype: 'float32',
    output: { dtype, scale, zero_point: zeroPoint },
  };
};

type Values = Readonly<Record<string, Uint8Array>>;

function filesOf(layers: readonly object[], capture: Values, candidate: Values): string[] {
  const folder = mkdtempSync(join(tmpdir(), 'chain-'));
  const at = (name: string) => join(folder, name);
  const model = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: [{ name: 'x', dtype: 'uint8', scale: VALUES[0].scale, zero_point: 128 }],
    layers,
  };
  const array = (data: Uint8Array) => npy('uint8', [SAMPLES, data.length / SAMPLES], [...data]);
  const arrays = (values: Values) =>
    npz(Object.fromEntries(Object.entries(values).map(([name, data]) => [name, array(data)])));
  writeFileSync(at('model.json'), JSON.stringify(model));
  writeFileSync(at('capture.npz'), arrays(capture));
  writeFileSync(at('candidate.npz'), arrays(candidate));
  return [at('model.json'), at('capture.npz'), '--candidate', at('candidate.npz')];
}

async function layersOf(argv: readonly string[]): Promise<Report['layers']> {
  const report: Report = JSON.parse((await cli()([...argv, '--reporter', 'json'])).stdout);
  return report.candidate_layers!;
}

async function told(candidate: Uint8Array): Promise<{ diagnosis: Report['layers'][0]['diagnosis']; text: string }> {
  const { fc1, fc2 } = outputsOf(fbgemmWith({}));
  const layers = [jsonOf('fc1', 'x', FC1), jsonOf('fc2', 'fc1', FC2)];
  const argv = filesOf(layers, { x: X, fc1, fc2 }, { fc2: candidate });
  const [, { diagnosis }] = await layersOf(argv);
  return { diagnosis, text: (await cli()(argv)).stdout };
}

describe('the same in each layer', () => {
  test.each([
    ['rounding down', fbgemmWith({ round: downward }), 'rounding-floor'],
    ['rounding towards zero', fbgemmWith({ round: towardZero }), 'rounding-truncate'],
    ['no bias', fbgemmWith({ bias: noBias }), 'bias-missing'],
  ])('%s', async (_, steps, cause) => {
    const { diagnosis, text } = await told(outputsOf(steps).fc2);
    expect(diagnosis).toMatchObject({
      causes: [cause],
      explained: diagnosis!.of,
      evidence: { basis: { in: 'fc1', throughout: true } },
      rehearsal: { mismatched_after_fix: 0 },
    });
    expect(text).toContain('Yours, from fc1 to fc2: ');
    expect(text).toContain('fc1 was not seen: with this in each layer, the replay from there');
  });

  test('in the first layer only it is in that one', async () => {
    const { diagnosis, text } = await told(outputsOf(fbgemmWith({ round: downward }), fbgemmWith({})).fc2);
    expect(diagnosis).toMatchObject({ causes: ['rounding-floor'], evidence: { basis: { in: 'fc1' } } });
    expect(text).toContain('Yours, in fc1: rounded down');
  });

  test('another thing in each stays unexplained, and what is not known is said', async () => {
    const { diagnosis, text } = await told(
      outputsOf(fbgemmWith({ round: downward }), fbgemmWith({ bias: noBias })).fc2,
    );
    expect(diagnosis!.causes).toEqual(['unexplained']);
    expect(text).toContain('the candidate has no fc1, so what fc2 read is unknown');
  });
});

type Network = Awaited<ReturnType<typeof networkBy>>;

async function seenOnly(network: Network, names: readonly string[], candidate = network.candidate) {
  const { model, capture } = network;
  const values = new Map([...candidate.values].filter(([name]) => names.includes(name)));
  const { candidate_layers: layers } = await compare(model, capture, { candidate: { ...candidate, values } });
  return layers!.find(({ name }) => name === names.at(-1))!.diagnosis;
}

describe('beside what is seen', () => {
  test('a ReLU hides what tells rounding down from cutting off: the other is said', async () => {
    const diagnosis = await seenOnly(await networkBy({ round: downward }, 'iris-vnni'), ['relu1']);
    expect(diagnosis).toMatchObject({ causes: ['rounding-truncate'], evidence: { basis: { in: 'fc1' } } });
    expect(diagnosis!.indistinguishable).toContainEqual({ causes: ['rounding-floor'], kernel: null });
  });

  test('of a chain that begins at what both read nothing came with the input, though the capture departs', async () => {
    const FC3 = linear(6, 8, VALUES[2], VALUES[1]);
    const declared = fbgemmWith({});
    const fc3 = (data: Uint8Array) =>
      Uint8Array.from(replayProduct(declared, FC3, { rows: SAMPLES, cols: 6, data }).data);
    const own = outputsOf(fbgemmWith({ round: downward }), declared);
    const captured = outputsOf(fbgemmWith({ bias: noBias }));
    const layers = [jsonOf('fc1', 'x', FC1), jsonOf('fc2', 'fc1', FC2), jsonOf('fc3', 'fc2', FC3)];
    const capture = { x: X, ...captured, fc3: fc3(captured.fc2) };
    const report = await layersOf(filesOf(layers, capture, { x: X, fc3: fc3(own.fc2) }));
    const { diagnosis } = report.find(({ name }) => name === 'fc3')!;
    expect(diagnosis).toMatchObject({ causes: ['rounding-floor'], evidence: { basis: { in: 'fc1' } } });
    expect(diagnosis!.fixes[0].rehearsal!.mismatched_after_fix).toBeGreaterThan(0);
    expect(diagnosis!.evidence).not.toHaveProperty('inherited');
  });

  test('what came with the first value of the chain is said where the fix is rehearsed', async () => {
    const FC3 = linear(6, 8, VALUES[2], VALUES[1]);
    const steps = [fbgemmWith({ round: downward }), fbgemmWith({})];
    const fc3 = (data: Uint8Array) =>
      Uint8Array.from(replayProduct(steps[1], FC3, { rows: SAMPLES, cols: 6, data }).data);
    const [right, own] = [outputsOf(steps[1]), outputsOf(steps[0])];
    const layers = [jsonOf('fc1', 'x', FC1), jsonOf('fc2', 'fc1', FC2), jsonOf('fc3', 'fc2', FC3)];
    const capture = { x: X, ...right, fc3: fc3(right.fc2) };
    const argv = filesOf(layers, capture, { fc1: own.fc1, fc3: fc3(own.fc2) });
    const { stdout } = await cli()([...argv, '--layer', 'fc3']);
    expect(stdout).toContain('Yours, in fc2: rounded down');
    expect(stdout).toContain('fc3 reads fc1, which differs already');
    expect(stdout.replace(/\s+/g, ' ')).toMatch(
      /replayed with the fix: \d+ of 720 values still differ, by what came with/,
    );
  });
});

describe('through layers of other kinds', () => {
  const SIGMOID = quant(1 / 256, 0);
  const AFTER = linear(16, 6, SIGMOID, quant(Math.fround(0.01), 115));

  /** fc1, a function that nobody saw, and what reads it. */
  async function beside(round: (v: number) => number) {
    const { fc1 } = outputsOf(fbgemmWith({}));
    const { scale, zeroPoint } = VALUES[1];
    const function_ = (own: (v: number) => number) =>
      Uint8Array.from(fc1, (q) => Math.min(255, own(256 / (1 + Math.exp(-scale * (q - zeroPoint))))));
    const fc2 = (data: Uint8Array) =>
      Uint8Array.from(replayProduct(fbgemmWith({}), AFTER, { rows: SAMPLES, cols: 16, data }).data);
    const right = function_(Math.round);
    const layers = [
      jsonOf('fc1', 'x', FC1),
      { name: 'act', op: 'sigmoid', input: 'fc1', output: { dtype: 'uint8', scale: 1 / 256, zero_point: 0 } },
      jsonOf('fc2', 'act', AFTER),
    ];
    const capture = { x: X, fc1, act: right, fc2: fc2(right) };
    return layersOf(filesOf(layers, capture, { fc1, fc2: fc2(function_(round)) }));
  }

  test('a function that is not seen is the one that does otherwise, not what comes before or after it', async () => {
    const [, , { diagnosis }] = await beside(Math.floor);
    expect(diagnosis).toMatchObject({ causes: ['rounding-truncate'], evidence: { basis: { in: 'act' } } });
  });
  test.each([['cut off', { round: towardZero }, 'rounding-truncate']])(
    'convolutions that are not seen: %s in each',
    async (_, steps, cause) => {
      const diagnosis = await seenOnly(await networkBy(steps), ['pw']);
      expect(diagnosis).toMatchObject({ causes: [cause], evidence: { basis: { in: 'stem', throughout: true } } });
      expect(diagnosis!.explained).toBe(diagnosis!.of);
    },
  );

  test('what a layer before shows is tried in those that are not seen: two things at once', async () => {
    const network = await networkBy({ round: downward, bias: noBias });
    const diagnosis = await seenOnly(network, ['stem', 'pw']);
    expect(diagnosis!.causes.sort()).toEqual(['bias-missing', 'rounding-floor']);
    expect(diagnosis).toMatchObject({ explained: diagnosis!.of, evidence: { basis: { throughout: true } } });
  });

  test('three values that each differ by a step or two tell of no layer before', async () => {
    const { model, capture, candidate } = await networkBy({ round: towardZero }, 'iris-vnni');
    const [own, right] = await Promise.all([candidate, capture].map(({ values }) => values.get('fc2')!.read(0, 150)));
    const differ = (sample: number) => [0, 1, 2].every((n) => own[sample * 3 + n] !== right[sample * 3 + n]);
    const from = Array.from({ length: 150 }, (_, i) => i).find(differ)!;
    const fc2Only = { ...candidate, values: new Map([['fc2', candidate.values.get('fc2')!]]) };
    const { candidate_layers: layers } = await compare(model, capture, {
      candidate: fc2Only,
      samples: { from, to: from + 1 },
    });
    expect(layers!.find(({ name }) => name === 'fc2')!.diagnosis).toMatchObject({ of: 3, causes: ['unexplained'] });
  });

  test('a ReLU that is not seen', async () => {
    const network = await networkBy({}, 'iris-vnni');
    const { model, capture, candidate } = network;
    const unclamped = { ...candidate, values: new Map([...candidate.values, ['relu1', candidate.values.get('fc1')!]]) };
    const session = new ReplaySession(model, unclamped, kernelByName('fbgemm')!, 'isolated');
    const values = new Map([
      ...candidate.values,
      ['fc2', replayedCapture(model, unclamped, session).values.get('fc2')!],
    ]);
    const diagnosis = await seenOnly(network, ['fc1', 'fc2'], { ...capture, values });
    expect(diagnosis).toMatchObject({ causes: ['relu-at-zero'], evidence: { basis: { in: 'relu1' } } });
  });
});
