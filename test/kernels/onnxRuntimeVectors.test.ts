/** ONNX Runtime's operators on codes against golden vectors, CPU by CPU. */
import { readdirSync, readFileSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { openCapture, openModel } from '../../src/frontends/open.js';
import { nodeFileSystem } from '../../src/io.js';
import { tensorSteps } from '../../src/kernels/kernel.js';
import { ort } from '../../src/kernels/ort.js';
import { ortArm } from '../../src/kernels/ort-arm.js';
import { openNpz } from '../../src/load/npz.js';
import type { Host } from '../../src/nouns/host.js';
import type { TensorCall } from '../../src/nouns/tensorCall.js';
import type { QuantParams } from '../../src/nouns/value.js';

interface Case {
  readonly name: string;
  readonly op: string;
  readonly dtype: 'uint8' | 'int8';
  readonly params: readonly { readonly scale: number; readonly zero_point: number }[];
  readonly count: number;
  readonly cpu: Host['cpu'];
  readonly second?: number | null;
  readonly alpha?: number;
  readonly seed?: number;
  readonly n?: number;
  readonly old?: boolean;
}

const FOLDER = 'fixtures/onnxruntime-ops';
const cases: readonly Case[] = JSON.parse(readFileSync(`${FOLDER}/cases.json`, 'utf8'));
const outputs = await openNpz(nodeFileSystem, `${FOLDER}/outputs.npz`);
afterAll(() => outputs.close());

function paramsOf(dtype: Case['dtype'], { scale, zero_point: zeroPoint }: Case['params'][number]): QuantParams {
  const quantMin = dtype === 'int8' ? -128 : 0;
  return { dtype, scale, zeroPoint, quantMin, quantMax: quantMin + 255 };
}

function seeded(seed: number, count: number, lowest: number): Int32Array {
  let state = seed;
  return Int32Array.from({ length: count }, () => {
    state = (Math.imul(1103515245, state) + 12345) & 0x7fffffff;
    return ((state >> 16) & 255) + lowest;
  });
}

const shape = (dims: readonly number[]) => ({ dims, channelAxis: 0 });
const memory = { format: 'contiguous', strides: null } as const;

/** The inputs of a case: every pair of codes, every code, or rows that follow from its seed. */
function inputsOf({ op, dtype, second, seed = 0, n = 0, count }: Case): { data: Int32Array; dims: number[] }[] {
  const lowest = dtype === 'int8' ? -128 : 0;
  if (op === 'softmax') return [{ data: seeded(seed, count, lowest), dims: [n] }];
  if (op !== 'add' && op !== 'mul') {
    return [{ data: Int32Array.from({ length: 256 }, (_, i) => i + lowest), dims: [256] }];
  }
  const pairs = (code: (i: number) => number) => Int32Array.from({ length: 65536 }, (_, i) => code(i) + lowest);
  const first = { data: pairs((i) => Math.floor(i / 256)), dims: [256, 256] };
  if (typeof second === 'number') return [first, { data: Int32Array.of(second), dims: [1] }];
  return [first, { data: pairs((i) => i % 256), dims: [256, 256] }];
}

function callOf(given: Case, host: Host): TensorCall {
  const { op, dtype, params, alpha = 0, n = 1, count } = given;
  const all = params.map((one) => paramsOf(dtype, one));
  const inputs = inputsOf(given).map(({ data, dims }, i) => ({ data, shape: shape(dims), params: all[i], memory }));
  const samples = op === 'softmax' ? count / n : 1;
  return {
    attributes: op === 'softmax' ? { dim: -1 } : { negativeSlope: alpha },
    activation: 'none',
    inputs,
    output: { shape: inputs[0].shape, params: all.at(-1)!, memory },
    samples,
    first: 0,
    ofCall: samples,
    threads: 1,
    vectors: 'avx512',
    host,
    ranAs: { codes: dtype, weights: dtype },
  };
}

/** Values by op and CPU that were compared. */
async function compared(op: string, cpu: Host['cpu'], kernel = ort): Promise<{ values: number; differing: string[] }> {
  const own = cases.filter((one) => one.op === op && one.cpu === cpu);
  const found = { values: 0, differing: [] as string[] };
  for (const one of own) {
    const host: Host = { cpu: kernel === ortArm ? 'fma' : cpu, version: one.old ? [1, 22] : null };
    const made = tensorSteps(kernel, { op })!.run(callOf(one, host));
    const expected = await outputs.arrays.get(one.name)!.read();
    const data = 'data' in made ? made.data : made;
    const wrong = expected.findIndex((code, i) => code !== data[i]);
    if (wrong >= 0) found.differing.push(`${one.name} at ${wrong}: expected ${expected[wrong]}, got ${data[wrong]}`);
    found.values += expected.length;
  }
  return found;
}

test.each([
  ['add', 'fma', 262144],
  ['add', 'sse', 262144],
  ['add', 'neon', 262144],
  ['mul', 'fma', 131072],
  ['sigmoid', 'fma', 102400],
  ['sigmoid', 'sse', 102400],
  ['leaky_relu', 'fma', 102400],
  ['softmax', 'fma', 111806],
] as const)('%s on %s', async (op, cpu, values) => {
  expect(await compared(op, cpu)).toEqual({ values, differing: [] });
});

test("ort-arm adds as ARM does, whatever the producer's CPU", async () => {
  expect(await compared('add', 'neon', ortArm)).toEqual({ values: 262144, differing: [] });
});

/** QLinearConv, products, pools and what else is one node: as graphs, so that the front end reads them too. */
test.each(
  readdirSync(`${FOLDER}/graphs`).flatMap((file) => {
    const [, name, kernel] = /^(.*)-(ort(?:-avx2|-arm)?)\.npz$/.exec(file) ?? [];
    return name ? [[name, kernel] as const] : [];
  }),
)('%s under %s', async (name, kernel) => {
  const model = await openModel(nodeFileSystem, `${FOLDER}/graphs/${name}.onnx`);
  const capture = await openCapture(nodeFileSystem, `${FOLDER}/graphs/${name}-${kernel}.npz`, model);
  const { layers } = await compare(model, capture, { kernel, diagnose: false });
  expect(layers[0]).toMatchObject({ name: 'y', kernel, mismatched: 0 });
  expect(layers[0].values).toBeGreaterThanOrEqual(100_000);
  await Promise.all([capture.close(), model.close()]);
});
