/** What people asked of ONNX Runtime: microsoft/onnxruntime#23202. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../../src/nouns/report.js';
import { clamp } from '../../../src/numeric/integer.js';
import { roundHalfEven } from '../../../src/numeric/round.js';
import { cli } from '../../support/cli.js';
import { npy, npz } from '../../support/npz.js';
import { model, node, scaled, valueInfo } from '../../support/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-reported-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const INT8 = 3;
const f = Math.fround;

test('QLinearAdd beside numpy: one sum in 65536 differs, since numpy adds floats, not since it rounds ties another way', async () => {
  const [a, b, c] = [
    { scale: f(0.008010663092136383), zero: 7 },
    { scale: f(0.00622713053599), zero: -128 },
    { scale: f(0.006873490754514933), zero: -128 },
  ];
  const params = [a, b, c].flatMap(({ scale, zero }, i) => scaled('abc'[i], scale, zero, Int8Array));
  const inputs = ['A', 'a_scale', 'a_zero_point', 'B', 'b_scale', 'b_zero_point', 'c_scale', 'c_zero_point'];
  const row = (name: string) => valueInfo(name, INT8, [256, 256]);
  const path = (name: string) => join(folder, name);
  const graph = {
    inputs: [row('A'), row('B')],
    outputs: [row('C')],
    initializers: params,
    nodes: [node('com.microsoft:QLinearAdd', inputs, ['C'])],
  };
  writeFileSync(path('add.onnx'), model(graph));
  const A = Int8Array.from({ length: 65536 }, (_, i) => Math.floor(i / 256) - 128);
  const B = Int8Array.from({ length: 65536 }, (_, i) => (i % 256) - 128);
  const numpy = A.map((code, i) => {
    const sum = f(f((code - a.zero) * a.scale) + f((B[i] - b.zero) * b.scale));
    return clamp(roundHalfEven(f(sum / c.scale)) + c.zero, -128, 127);
  });
  const ran = numpy.slice(); // as onnxruntime 1.32.0 gives all 65536
  ran[120 * 256 + 64] = -88;
  expect(numpy[120 * 256 + 64]).toBe(-87);
  const array = (codes: Int8Array) => npy('int8', [256, 256], codes);
  writeFileSync(path('ran.npz'), npz({ A: array(A), B: array(B), C: array(ran) }));
  writeFileSync(path('numpy.npz'), npz({ C: array(numpy) }));
  const { stdout } = await cli()([
    path('add.onnx'),
    path('ran.npz'),
    '--candidate',
    path('numpy.npz'),
    '--reporter',
    'json',
  ]);
  const { layers, candidate_layers: mine } = JSON.parse(stdout) as Report;
  expect(layers[0].status).toBe('match');
  expect(mine![0]).toMatchObject({ mismatched: 1, diagnosis: { causes: ['float-arithmetic'], explained: 1 } });
  expect(mine![0].diagnosis!.fix).toMatch(/^compute it as ort does: rint\(fma\(/);
});
