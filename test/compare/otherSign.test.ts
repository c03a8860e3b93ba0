/** A candidate that writes codes less 128 and is wrong besides: named as in the declared dtype, and the sign with it. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { int16Wrap } from '../../src/kernels/steps/accumulate.js';
import { downward, towardZero } from '../../src/kernels/steps/round.js';
import type { Capture, CapturedValue } from '../../src/nouns/capture.js';
import type { ProductSteps } from '../../src/nouns/kernel.js';
import { networkBy } from '../support/networkBy.js';

const CONVOLUTIONS = ['stem', 'dw', 'pw'];
const LINEARS = ['fc1', 'fc2'];
type Write = (code: number, name: string) => number;

/** Codes of uint8 as they are written, in a type that holds all. */
function written(candidate: Capture, write: Write): Capture {
  const other = (name: string, value: CapturedValue): CapturedValue => ({
    ...value,
    dtype: 'int32',
    read: async (from, to) => Int32Array.from(await value.read(from, to), (code) => write(code, name)),
  });
  const values = [...candidate.values].map(
    ([name, value]) => [name, value.dtype === 'uint8' ? other(name, value) : value] as const,
  );
  return { ...candidate, values: new Map(values) };
}

type Network = Awaited<ReturnType<typeof networkBy>>;

async function diagnosed({ model, capture }: Network, candidate: Capture, layers = CONVOLUTIONS) {
  const { candidate_layers: own } = await compare(model, capture, {
    candidate,
    samples: { from: 0, to: 4 },
    selects: ({ name }) => layers.includes(name),
  });
  return own!.map(({ diagnosis }) => diagnosis);
}

const less128: Write = (code) => code - 128;
const bytes: Write = (code) => (code > 127 ? code - 256 : code);

test.each<[string, Partial<ProductSteps>, Write, number]>([
  ['less 128, sums of 16 bits rounded down', { accumulate: int16Wrap, round: downward }, less128, 128],
  ['bytes, sums of 16 bits rounded towards zero', { accumulate: int16Wrap, round: towardZero }, bytes, 256],
])('%s: all of it, in each layer', async (_, steps, write, by) => {
  const network = await networkBy(steps);
  const plain = await diagnosed(network, network.candidate);
  const found = await diagnosed(network, written(network.candidate, write));
  expect(plain.flatMap((diagnosis) => diagnosis!.causes)).not.toContain('unexplained');
  for (const [i, diagnosis] of found.entries()) {
    const codes = await network.candidate.values.get(CONVOLUTIONS[i])!.read(0, 4);
    const isOther = codes.some((code) => write(code, '') !== code); // the bytes of codes below 128 are the same
    expect(new Set(diagnosis!.causes)).toEqual(new Set([...(isOther ? ['signedness'] : []), ...plain[i]!.causes]));
    if (isOther) expect(diagnosis!.evidence.signedness).toMatchObject({ of: 'output', off_by: by });
    expect(diagnosis!.explained).toBe(diagnosis!.of);
  }
});

test('after a ReLU no code less 128 is below 0: it is read as the others are', async () => {
  const network = await networkBy({ accumulate: int16Wrap, round: downward }, 'iris-vnni');
  const rectified = written(network.candidate, (code, name) => (name === 'fc1' ? Math.max(code, 128) : code) - 128);
  const found = await diagnosed(network, rectified, LINEARS);
  expect(found.map((diagnosis) => new Set(diagnosis!.causes))).toEqual([
    new Set(['signedness', 'accumulator-wraps', 'rounding-floor']), // of what is not below 0 as the second tells
    new Set(['inherited', 'signedness', 'accumulator-wraps', 'rounding-floor']),
  ]);
});

test('values that are codes of neither dtype are read as they are', async () => {
  const network = await networkBy({ accumulate: int16Wrap, round: downward });
  const found = await diagnosed(
    network,
    written(network.candidate, (code) => code - 200),
  );
  for (const diagnosis of found) expect(diagnosis!.causes).not.toContain('signedness');
});
