/** Two dynamic layers that saturate: what each chooses follows from its own input, the captured one. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Report } from '../../../src/nouns/report.js';
import { clamp } from '../../../src/numeric/integer.js';
import { roundHalfEven } from '../../../src/numeric/round.js';
import { cli } from '../../support/cli.js';
import { npy, npz } from '../../support/npz.js';
import { model, node, tensor, valueInfo } from '../../support/onnx.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-dynamic-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const f = Math.fround;
const [WIDTH, SAMPLES, SCALE] = [8, 6, f(0.01)];

function layer(name: string, from: string, to: string) {
  const of = (part: string) => `${name}_${part}`;
  return [
    node('DynamicQuantizeLinear', [from], [of('q'), of('s'), of('z')]),
    node('MatMulInteger', [of('q'), of('w'), of('z')], [of('sums')]),
    node('Cast', [of('sums')], [of('real')], { to: 1 }),
    node('Mul', [of('s'), 'scale'], [of('scale')]),
    node('Mul', [of('real'), of('scale')], [to]),
  ];
}

/** In pairs that clamp at int16, as ONNX Runtime does on AVX2. */
function ran(x: Float32Array, weights: Int8Array): Float32Array {
  const [min, max] = [Math.min(0, ...x), Math.max(0, ...x)];
  const scale = f(f(max - min) / 255);
  const zero = roundHalfEven(clamp(f(0 - f(min / scale)), 0, 255));
  const codes = x.map((v) => clamp(roundHalfEven(f(v / scale)) + zero, 0, 255));
  const total = [0, 0, 0, 0, 0, 0, 0, 0].map((_, n) =>
    weights.reduce((sum, w, i) => sum + (i % WIDTH === n ? w : 0), 0),
  );
  return x.map((_, i) => {
    const [row, n] = [Math.floor(i / WIDTH) * WIDTH, i % WIDTH];
    const product = (k: number) => codes[row + k] * weights[k * WIDTH + n];
    let sum = -zero * total[n];
    for (let k = 0; k < WIDTH; k += 2) sum += clamp(product(k) + product(k + 1), -32768, 32767);
    return f(f(sum) * f(scale * SCALE));
  });
}

test('propagated: each is named on the captured input, of which another range was chosen than of the replayed', async () => {
  const weights = [7, 11].map((seed) =>
    Int8Array.from({ length: WIDTH ** 2 }, (_, i) => (i % 3 === 0 ? -50 : 127 - ((i * seed) % 29))),
  );
  const data = model({
    inputs: [valueInfo('x', 1, ['N', WIDTH])],
    outputs: [valueInfo('y')],
    initializers: [
      ...weights.map((codes, i) => tensor(`${'ab'[i]}_w`, [WIDTH, WIDTH], codes)),
      tensor('scale', [], Float32Array.of(SCALE)),
    ],
    nodes: [...layer('a', 'x', 'h'), ...layer('b', 'h', 'y')],
  });
  const paths = ['m.onnx', 'c.npz'].map((name) => join(folder, name));
  const x = Float32Array.from({ length: SAMPLES * WIDTH }, (_, i) => Math.sin(i * 1.7) + 0.8);
  const h = ran(x, weights[0]);
  const arrays = Object.entries({ x, h, y: ran(h, weights[1]) });
  writeFileSync(paths[0], data);
  writeFileSync(
    paths[1],
    npz(Object.fromEntries(arrays.map(([name, values]) => [name, npy('float32', [SAMPLES, WIDTH], values)]))),
  );
  const compared = await cli()([...paths, '--mode', 'propagated', '--reporter', 'json']);
  const { layers } = JSON.parse(compared.stdout) as Report;
  expect(layers.map(({ diagnosis }) => diagnosis?.causes)).toEqual([['int16-saturation'], ['int16-saturation']]);
  expect(layers[1].diagnosis!.evidence.inherited).toEqual({ from: 'h' });
});
