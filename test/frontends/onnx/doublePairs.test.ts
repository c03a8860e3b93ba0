/**
 * Two pairs of QuantizeLinear and DequantizeLinear in a row (microsoft/onnxruntime#25259). The scale 0.0198431369 and zero point 127 are
 * those of the graph that onnxruntime 1.32.0 saves; which sessions leave the pairs was measured with it.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it, test } from 'vitest';
import { openModel } from '../../../src/frontends/open.js';
import type { Report } from '../../../src/nouns/report.js';
import { clamp } from '../../../src/numeric/integer.js';
import { roundHalfEven } from '../../../src/numeric/round.js';
import { cli } from '../../support/cli.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import { npy, npz } from '../../support/npz.js';
import { type Bytes, model, node, scaled, valueInfo } from '../../support/onnx.js';

const f = Math.fround;
const MERGED = { scale: f(0.01984313689172268), zeroPoint: 127 };
const numbers = [...scaled('a', f(0.02), 128), ...scaled('b', f(0.021), 120), ...scaled('c', f(0.019), 140)];

const q = (x: string, of: string, y: string) =>
  node('QuantizeLinear', [x, `${of}_scale`, `${of}_zero_point`], [y], {}, y);
const dq = (x: string, of: string, y: string) =>
  node('DequantizeLinear', [x, `${of}_scale`, `${of}_zero_point`], [y], {}, y);
const two = [q('x', 'a', 'p'), dq('p', 'a', 'pd'), q('pd', 'b', 'r'), dq('r', 'b', 'y')];

const file = (nodes: readonly Bytes[], initializers = numbers, outputs = ['y']) =>
  model({
    inputs: [valueInfo('x', 1, ['n', 256])],
    outputs: outputs.map((name) => valueInfo(name, 1, ['n', 256])),
    initializers,
    nodes,
  });

async function opened(data: Bytes, ranBy: Parameters<typeof openModel>[2] = {}) {
  const { layers, warnings, close } = await openModel(memoryFiles({ 'm.onnx': data }), 'm.onnx', ranBy);
  await close();
  return { layers, warnings };
}

const namesOf = async (...file: Parameters<typeof opened>) => (await opened(...file)).layers.map(({ name }) => name);

describe('two pairs in a row', () => {
  it('are one, of the range that both have, which is told', async () => {
    const { layers, warnings } = await opened(file(two));
    expect(layers.map(({ name, nodes }) => [name, nodes])).toEqual([
      ['p', ['p', 'pd', 'r']],
      ['y', ['y']],
    ]);
    expect(layers[0].output).toMatchObject(MERGED);
    expect(warnings[0].message).toContain(
      'p (scale 0.0199999996, zero point 128) and r (scale 0.0209999997, zero point 120) are p alone (scale 0.0198431369, zero point 127)',
    );
  });

  it('three are one too, two at a time', async () => {
    const three = [...two.slice(0, 3), dq('r', 'b', 'rd'), q('rd', 'c', 's'), dq('s', 'c', 'y')];
    const { layers } = await opened(file(three));
    expect(layers.map(({ name }) => name)).toEqual(['p', 'y']);
    expect(layers[0].output).toMatchObject({ scale: f(0.018451286479830742), zeroPoint: 137 });
  });

  it('five are one in three rounds, of which each takes a pair but once: from left to right it were 0.0125772', async () => {
    const [scales, zeroPoints] = [
      [0.018, 0.032, 0.026, 0.019, 0.045],
      [180, 181, 98, 98, 193],
    ];
    const numbers = scales.flatMap((scale, i) => scaled(`n${i}`, f(scale), zeroPoints[i]));
    const row = scales.flatMap((_, i) => [
      q(i === 0 ? 'x' : `d${i}`, `n${i}`, `q${i}`),
      dq(`q${i}`, `n${i}`, `d${i + 1}`),
    ]);
    const { layers } = await opened(file(row, numbers, ['d5']));
    expect(layers[0].output).toMatchObject({ scale: f(0.012596078217029572), zeroPoint: 148 });
  });

  it('several that read the last codes are left, all with the new numbers', async () => {
    const { layers } = await opened(file([...two, dq('r', 'b', 'z'), node('Relu', ['y'], ['o'])], numbers, ['o', 'z']));
    expect(layers.map(({ name }) => name)).toEqual(['p', 'y', 'z', 'o']);
    expect(layers[0].output).toMatchObject(MERGED);
  });

  it('also with a Cast between them that changes nothing', async () => {
    const nodes = [...two.slice(0, 2), node('Cast', ['pd'], ['pc'], { to: 1 }), q('pc', 'b', 'r'), dq('r', 'b', 'y')];
    expect((await opened(file(nodes))).layers[0].output).toMatchObject(MERGED);
  });

  it('of ranges that have 0 alone in common the scale is 0, which no codes have: not replayed', async () => {
    const data = file(two, [...scaled('a', f(0.02), 0), ...scaled('b', f(0.02), 255)]);
    const { layers } = await opened(data);
    expect(layers[0]).toMatchObject({ name: 'p', notReplayed: expect.stringContaining('a scale of 0') });
  });

  it('of the same numbers keep them, and nothing is told', async () => {
    const same = [q('x', 'a', 'p'), dq('p', 'a', 'pd'), q('pd', 'a', 'r'), dq('r', 'a', 'y')];
    const { layers, warnings } = await opened(file(same));
    expect(layers[0].output).toMatchObject({ scale: f(0.02), zeroPoint: 128 });
    expect(warnings).toEqual([]);
  });

  it.each<[string, Bytes]>([
    ['somebody else reads what stands between', file([...two, node('Relu', ['pd'], ['z'])], numbers, ['y', 'z'])],
    ['it is given out', file(two, numbers, ['y', 'pd'])],
    ['one of several reads the last codes by other numbers', file([...two, dq('r', 'c', 'z')], numbers, ['y', 'z'])],
    ['the types differ', file(two, [...numbers.slice(0, 2), ...scaled('b', f(0.021), 3, Int8Array)])],
  ])('stay two where %s', async (_, data) => {
    expect(await namesOf(data)).toContain('r');
  });

  it.each<[string, Parameters<typeof openModel>[2]]>([
    ['session.disable_double_qdq_remover is 1', { settings: new Map([['session.disable_double_qdq_remover', '1']]) }],
    ['the session does not optimize', { settings: new Map([['graph_optimization_level', 'none']]) }],
    ['a capture has what stands between', { captured: new Map([['r', [1, 256]]]) }],
  ])('stay two where %s', async (_, ranBy) => {
    expect(await namesOf(file(two), ranBy)).toEqual(['p', 'r', 'y']);
  });
});

test('a capture of a session that keeps them beside one of a session that does not: the settings, not a wrong scale', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'qdiff-double-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const path = (name: string) => join(folder, name);
  const x = Float32Array.from({ length: 1024 }, (_, i) => Math.sin(i) * 3);
  const codes = (from: Float32Array, scale: number, zero: number) =>
    Uint8Array.from(from, (value) => clamp(roundHalfEven(f(value / scale)) + zero, 0, 255));
  const reals = (from: Uint8Array, scale: number, zero: number) =>
    Float32Array.from(from, (code) => (code - zero) * scale);
  const array = (values: Float32Array | Uint8Array) =>
    npy(values instanceof Uint8Array ? 'uint8' : 'float32', [4, 256], values);
  const saidBy = (level: string) => {
    const said = { framework: 'onnxruntime', kernel: 'ort', settings: { graph_optimization_level: level } };
    const bytes = new TextEncoder().encode(JSON.stringify(said));
    return npy('uint8', [bytes.length], bytes);
  };
  const { scale, zeroPoint } = MERGED;
  const one = codes(x, scale, zeroPoint);
  const p = codes(x, f(0.02), 128);
  const r = codes(reals(p, f(0.02), 128), f(0.021), 120);
  writeFileSync(path('m.onnx'), file(two));
  const all = { x: array(x), p: array(one), y: array(reals(one, scale, zeroPoint)) };
  const none = { x: array(x), p: array(p), r: array(r), y: array(reals(r, f(0.021), 120)) };
  writeFileSync(path('all.npz'), npz({ producer: saidBy('all'), ...all }));
  writeFileSync(path('none.npz'), npz({ producer: saidBy('none'), ...none }));
  const command = [path('m.onnx'), path('all.npz'), '--candidate', path('none.npz')];
  const { stdout } = await cli()([...command, '--reporter', 'json']);
  const { layers, candidate_layers: mine } = JSON.parse(stdout) as Report;
  expect(layers.map(({ status }) => status)).toEqual(['match', 'match']);
  expect(mine![0].diagnosis).toMatchObject({
    subject: 'candidate',
    explained: mine![0].mismatched,
    fix: 'the files say the same: run both with the same optimization level and session.* entries, on CPUs that fuse alike',
  });
  const { stdout: table } = await cli()(command);
  expect(table).toContain("the candidate's session made other layers of the same file");
  expect(table.replaceAll(/\s+/g, ' ')).toContain(
    'yours: run both with the same optimization level and session.* entries',
  );
});

test('ten thousand pairs in a row are read in seconds, and nodes of one name are told apart', async () => {
  const row = Array.from({ length: 10_000 }, (_, i) => [
    node(
      'QuantizeLinear',
      [i === 0 ? 'x' : `d${i}`, `${'ab'[i % 2]}_scale`, `${'ab'[i % 2]}_zero_point`],
      [`q${i}`],
      {},
      'same',
    ),
    node('DequantizeLinear', [`q${i}`, `${'ab'[i % 2]}_scale`, `${'ab'[i % 2]}_zero_point`], [`d${i + 1}`], {}, 'same'),
  ]).flat();
  const { layers } = await opened(file(row, numbers, ['d10000']));
  // ONNX Runtime goes over a graph ten times
  expect(layers.filter(({ op }) => op !== 'dequantize').map(({ name }) => name)).toEqual(
    Array.from({ length: 10 }, (_, i) => `q${i * 1024}`),
  );
  const ends = file([...two.slice(0, 3), dq('r', 'b', 'rd'), node('Sigmoid', ['rd'], ['y'])]);
  expect((await opened(ends)).layers[0].output).toMatchObject(MERGED);
}, 20_000);
