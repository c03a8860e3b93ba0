/** A layer whose input was clamped: only bounds that a code passes are told, and the rules that have them. */
import { expect, test } from 'vitest';
import { compare } from '../../src/compare/compare.js';
import { headline } from '../../src/diagnose/finding/sentences.js';
import { openCandidate, openCapture, openModel } from '../../src/frontends/open.js';
import { clamp } from '../../src/numeric/integer.js';
import { roundHalfEven } from '../../src/numeric/round.js';
import { memoryFiles } from '../support/memoryFiles.js';
import { npy, npz } from '../support/npz.js';
import { randomFrom } from './world.js';

const [ROWS, IN, OUT] = [64, 16, 8];
const WEIGHT_SCALE = 2 ** -7;

interface Input {
  readonly dtype: 'uint8' | 'int8';
  readonly zero_point: number;
  readonly scale?: number;
  /** Of its codes. */
  readonly from: number;
  readonly to: number;
}

async function diagnosed({ from, to, ...declared }: Input, [lo, hi]: readonly [number, number]) {
  const random = randomFrom(11);
  const input = { scale: 2 ** -6, ...declared };
  const weight = Array.from({ length: OUT }, () => Array.from({ length: IN }, () => random.integer(-90, 90)));
  const x = Array.from({ length: ROWS * IN }, () => random.integer(from, to));
  const output = { dtype: 'uint8', scale: input.scale, zero_point: 120 };
  const codesOf = (codes: readonly number[]) =>
    Array.from({ length: ROWS * OUT }, (_, i) => {
      const row = codes.slice(Math.floor(i / OUT) * IN, (Math.floor(i / OUT) + 1) * IN);
      const sum = row.reduce((total, code, k) => total + (code - input.zero_point) * weight[i % OUT][k], 0);
      return clamp(roundHalfEven((sum * WEIGHT_SCALE) / 4) + output.zero_point, 0, 255);
    });
  const model = JSON.stringify({
    format: 'qdiff-model',
    version: 1,
    producer: { kernel: 'numpy' },
    inputs: [{ name: 'x', ...input, shape: [IN] }],
    layers: [
      {
        ...{ name: 'y', op: 'linear', input: 'x', weight, weight_scale: WEIGHT_SCALE / 4, weight_dtype: 'int8' },
        output,
      },
    ],
  });
  const y = (codes: readonly number[]) => npy('uint8', [ROWS, OUT], codesOf(codes));
  const files = memoryFiles({
    'm.json': model,
    'c.npz': npz({ x: npy(input.dtype, [ROWS, IN], x), y: y(x) }),
    'mine.npz': npz({ y: y(x.map((code) => clamp(code, lo, hi))) }),
  });
  const opened = await openModel(files, 'm.json');
  const capture = await openCapture(files, 'c.npz', opened);
  const report = await compare(opened, capture, { candidate: await openCandidate(files, 'mine.npz', opened, capture) });
  expect(report.layers[0].mismatched).toBe(0);
  return report.candidate_layers![0].diagnosis!;
}

const SIGNED = { dtype: 'int8', zero_point: 0, from: -100, to: 100 } as const;
const SIX_AT_220 = { dtype: 'uint8', zero_point: 100, scale: 0.05 } as const;

test.each<[said: string, Input, bounds: [number, number], as?: string[]]>([
  ['codes below -64 are read as -64', { ...SIGNED, zero_point: -20, from: -90, to: 40 }, [-64, 127]],
  ['to -64..63', { ...SIGNED, zero_point: -20 }, [-64, 63]],
  ['codes above 127 are read as 127', { dtype: 'uint8', zero_point: 90, from: 20, to: 230 }, [0, 127]],
  ['codes below 0 are read as 0', SIGNED, [0, 127], ['relu']],
  ['codes below 100 are read as 100', { ...SIX_AT_220, from: 20, to: 200 }, [100, 255], ['relu', 'relu6']],
  ['codes below 100 are read as 100', { ...SIX_AT_220, from: 20, to: 250 }, [100, 255], ['relu']],
  ['to 100..220', { ...SIX_AT_220, from: 20, to: 250 }, [100, 220], ['relu6']],
  [
    'codes above 127 are read as 127',
    { dtype: 'uint8', zero_point: 0, scale: 6 / 127, from: 0, to: 250 },
    [0, 127],
    ['relu6'],
  ],
])('%s: %j', async (said, input, bounds, as) => {
  const { causes, explained, of, evidence } = await diagnosed(input, bounds);
  expect({ causes, explained }).toEqual({ causes: ['input-clamped'], explained: of });
  expect(headline({ subject: 'candidate', evidence } as never, causes)).toContain(said);
  expect((evidence['input-clamped'] as { as?: string[] }).as).toEqual(as);
});
