/** Behind layers of noise nothing is sought any more: what one value is like names no runtime, what many are like does. */
import { expect, it } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';
import { npy, npz } from '../support/npz.js';
import { tflite } from '../support/tflite.js';

const [SAMPLES, NOISE] = [48, 9];
/** Of the last layer: sums are the codes 0..127. */
const MULTIPLIER = 0.1137;
const once = (code: number) => Math.round(code * MULTIPLIER);
/** To eighths first, as an int32 multiplier with a shift of 3 does. */
const twice = (code: number) => Math.floor(Math.round(code * MULTIPLIER * 8) / 8 + 0.5);
const codes = Array.from({ length: 128 }, (_, code) => code);
const alike = codes.filter((code) => once(code) === twice(code));
const unlike = codes.filter((code) => once(code) !== twice(code));

let state = 7;
const noise = (count: number) =>
  Array.from({ length: count }, () => {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    return ((state >>> 8) % 255) - 127;
  });

/** @param differing rows of the last layer whose value is rounded twice, and differs */
async function causesWith(differing: number): Promise<string[]> {
  const names = Array.from({ length: NOISE }, (_, i) => [`x${i}`, `fc${i}`] as const);
  const x = [...unlike.slice(0, differing), ...alike].slice(0, SAMPLES);
  const scaled = (scale: number) => ({ scale: [scale], zeroPoint: [0] });
  const linear = (input: string, name: string, width: number, data: Int8Array, scale: number) => [
    { name: input, shape: [1, width], ...scaled(1) },
    { name: `${name}.w`, shape: [width, width], data, ...scaled(scale) },
    { name, shape: [1, width], ...scaled(1) },
  ];
  const tensors = [
    ...names.flatMap(([input, name]) => linear(input, name, 4, Int8Array.from(noise(16)), 0.01)),
    ...linear('x', 'last', 1, Int8Array.of(1), MULTIPLIER),
  ];
  const operators = Array.from({ length: NOISE + 1 }, (_, i) => {
    return { code: 'FULLY_CONNECTED', inputs: [3 * i, 3 * i + 1, -1], outputs: [3 * i + 2], options: [] } as const;
  });
  const graph = tflite({
    tensors,
    inputs: operators.map(({ inputs: [input] }) => input),
    outputs: operators.map(({ outputs: [output] }) => output),
    operators,
  });
  const of = (name: string) => [name, npy('int8', [SAMPLES, 4], noise(SAMPLES * 4))] as const;
  const inputs = [...names.map(([input]) => of(input)), ['x', npy('int8', [SAMPLES, 1], x)] as const];
  const captured = ['last', npy('int8', [SAMPLES, 1], x.map(once))] as const;
  const own = ['last', npy('int8', [SAMPLES, 1], x.map(twice))] as const;
  const outputs = () => names.map(([, name]) => of(name));
  const files = new Map<string, string | Buffer>([
    ['model.tflite', Buffer.from(graph.bytes)],
    ['capture.npz', npz(Object.fromEntries([...inputs, ...outputs(), captured]))],
    ['mine.npz', npz(Object.fromEntries([...outputs(), own]))],
  ]);
  const argv = ['model.tflite', 'capture.npz', '--candidate', 'mine.npz', '--against', 'replay', '--reporter', 'json'];
  const report: Report = JSON.parse((await cli(files as Map<string, string>)(argv)).stdout);
  return report.candidate_layers!.at(-1)!.diagnosis!.causes;
}

it('two values beside noise are no sign of a runtime, three are', async () => {
  expect(unlike.length).toBeGreaterThan(2);
  expect([await causesWith(2), await causesWith(3)]).toEqual([['unexplained'], ['fixed-point-multiplier']]);
});
