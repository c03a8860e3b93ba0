/** Functions of a byte under TFLite's kernels, that are looked up at another code or have another slope. */
import { describe, expect, test } from 'vitest';
import { type Alone, computed, diagnosisOf } from '../support/alone.js';
import { randomFrom } from './world.js';

const COUNT = 600;
const random = randomFrom(9);
/** Every code, and some again. */
const codes = Int8Array.from({ length: COUNT }, (_, i) => (i < 256 ? i - 128 : random.integer(-128, 127)));

const alone = (op: string, output: object, fields: object = {}): Alone => ({
  producer: { framework: 'litert', kernel: 'tflite-reference' },
  inputs: { x: { dtype: 'int8', scale: 0.03, zero_point: 17, shape: [COUNT / 2] } },
  layer: { op, output: { dtype: 'int8', ...output }, ...fields },
  values: { x: codes },
  samples: 2,
});
const SIGMOID = alone('sigmoid', { scale: 1 / 256, zero_point: -128 });
const TANH = alone('tanh', { scale: 1 / 128, zero_point: 0 });
const LEAKY = alone('leaky_relu', { scale: 0.024, zero_point: -31 }, { negative_slope: 0.1 });

/** With its codes read otherwise, and what a zero point in place of the file's gives. */
const readAs = (own: Alone, read: (code: number) => number) =>
  computed({ ...own, values: { x: codes.map((code) => read(code)) } });
const withZeroPoint = (own: Alone, zero_point: number) =>
  computed({ ...own, inputs: { x: { ...own.inputs.x, zero_point } } });

describe.each([
  ['sigmoid', SIGMOID],
  ['tanh', TANH],
])('%s', (_, own) => {
  test('a table whose index is one too low', async () => {
    const wrong = await readAs(own, (code) => Math.max(-128, code - 1));
    expect(await diagnosisOf(own, wrong)).toMatchObject({
      causes: ['table-entry'],
      evidence: { 'table-entry': { read_before: 1 } },
      lost: 0,
    });
  });

  test('a table that begins two entries late, around its end', async () => {
    const wrong = await readAs(own, (code) => ((code + 2 + 128) & 255) - 128);
    expect(await diagnosisOf(own, wrong)).toMatchObject({
      causes: ['table-entry'],
      evidence: { 'table-entry': { read_before: -2, around: true } },
    });
  });

  test('a table that a byte without a sign is the index of', async () => {
    const wrong = await readAs(own, (code) => (code < 0 ? code + 128 : code - 128));
    expect(await diagnosisOf(own, wrong)).toMatchObject({
      causes: ['signedness'],
      evidence: { signedness: { of: 'activation', declared: 'int8', read_as: 'uint8' } },
    });
  });

  test.each([-17, 40])('zero point %s', async (zeroPoint) => {
    expect(await diagnosisOf(own, await withZeroPoint(own, zeroPoint))).toMatchObject({
      causes: ['input-zero-point-wrong'],
      evidence: { 'input-zero-point-wrong': { declared: 17, found: zeroPoint } },
    });
  });

  test('no order of entries that nothing shifts: reversed', async () => {
    const wrong = await readAs(own, (code) => -1 - code);
    expect((await diagnosisOf(own, wrong))!.causes).not.toContain('input-zero-point-wrong');
  });
});

test.each([0.01, 0.2, 0.05, 25 / 256, 0.9, -0.1, 0])('a leaky ReLU of slope %s', async (negative_slope) => {
  const diagnosis = await diagnosisOf(LEAKY, await computed(LEAKY, { negative_slope }));
  expect(diagnosis).toMatchObject({ causes: ['table-entry'], lost: 0 });
  const { function: name } = diagnosis!.evidence['table-entry'] as { function: string };
  expect(negative_slope === 0 ? ['relu', 'leaky_relu of 0'] : [`leaky_relu of ${negative_slope}`]).toContain(name);
});

describe('a PReLU of slopes that are codes', () => {
  const slopes = Int8Array.from({ length: COUNT }, () => random.integer(-60, 100));
  const own: Alone = {
    ...alone('prelu_of_two', { scale: 0.024, zero_point: -31 }),
    inputs: { x: LEAKY.inputs.x, a: { dtype: 'int8', scale: 0.004, zero_point: 5, shape: [COUNT / 2] } },
    values: { x: codes, a: slopes },
  };
  const slopesAs = (read: (code: number) => number) =>
    computed({ ...own, values: { ...own.values, a: slopes.map((code) => read(code)) } });

  test('that is a ReLU: where slopes are below 0 it was another clamp, and another sign of some codes', async () => {
    const diagnosis = await diagnosisOf(own, await slopesAs(() => 5));
    expect(diagnosis).toMatchObject({ causes: ['table-entry'], evidence: { 'table-entry': { function: 'relu' } } });
  });

  test('with slopes of the other sign', async () => {
    const diagnosis = await diagnosisOf(own, await slopesAs((code) => 10 - code));
    expect(diagnosis).toMatchObject({ causes: ['table-entry'], lost: 0 });
  });
});
