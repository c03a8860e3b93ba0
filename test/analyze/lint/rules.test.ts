import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type LintFinding, lint } from '../../../src/analyze/lint/lint.js';
import { rules } from '../../../src/analyze/lint/registry.js';
import { openCapture, openModel } from '../../../src/frontends/open.js';
import { memoryFiles } from '../../support/memoryFiles.js';
import type { Json } from '../../support/models.js';
import { npy, npz } from '../../support/npz.js';

/** What a case changes of the layer and its input, and the samples that a capture of it holds. */
interface Case {
  readonly layer?: Json;
  readonly input?: Json;
  /** Input codes, a row a sample. */
  readonly x?: readonly (readonly number[])[];
  /** Output codes, one a sample. */
  readonly y?: readonly number[];
}

interface Row {
  readonly code: string;
  /** Which numbers decide. */
  readonly what: string;
  readonly raises: Case;
  readonly nearMiss: Case;
  readonly finds: Pick<LintFinding, 'severity' | 'message'>;
}

/** Two inputs, one channel, multiplier 1/8, accumulator 0..765: no rule finds anything. */
const small = ({ layer, input }: Case) => ({
  format: 'qdiff-model',
  version: 1,
  producer: {},
  inputs: [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: 0, ...input }],
  layers: [
    {
      name: 'fc',
      op: 'linear',
      input: 'x',
      weight: [[1, 2]],
      weight_scale: 0.5,
      output: output(4),
      ...layer,
    },
  ],
});

function output(scale: number): Json {
  return { dtype: 'uint8', scale, zero_point: 100 };
}

const int32Bias = (bias: number) => ({ bias: [bias], bias_dtype: 'int32' });

/** w in the first of 16 places, w2 eight after it. */
const eightApart = (w: number, w2: number) => [[w, 0, 0, 0, 0, 0, 0, 0, w2, 0, 0, 0, 0, 0, 0, 0]];

async function findingsOf(changes: Case): Promise<LintFinding[]> {
  const files = memoryFiles({ 'model.json': JSON.stringify(small(changes)), ...captured(changes) });
  const model = await openModel(files, 'model.json');
  const capture = changes.x ? await openCapture(files, 'capture.npz', model) : null;
  return (await lint(model, capture)).findings;
}

function captured({ input, x, y }: Case): Record<string, Buffer> {
  if (!x) return {};
  const outputs = y ?? x.map((_, sample) => (sample % 2) * 255);
  const arrays = {
    x: npy(input?.dtype ?? 'uint8', [x.length, x[0].length], x.flat()),
    fc: npy('uint8', [x.length, 1], outputs),
  };
  return { 'capture.npz': npz(arrays) };
}

const SATURATING = { weight: [[127, 2]] };
const TWO = [
  [0, 0],
  [9, 9],
];

const TABLE: readonly Row[] = [
  {
    code: 'int16-saturation',
    what: '255 * 129 is above 32767, 255 * 128 is not',
    raises: { layer: SATURATING },
    nearMiss: { layer: { weight: [[127, 1]] } },
    finds: { severity: 'error', message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16' },
  },
  {
    code: 'int16-saturation',
    what: '255 * -129 is below -32768, 255 * -128 is not',
    raises: { layer: { weight: [[-128, -1]] } },
    nearMiss: { layer: { weight: [[-128, 0]] } },
    finds: { severity: 'error', message: 'x[0], x[1]: 255 * -128 + 255 * -1 = -32895 leaves int16' },
  },
  {
    code: 'int16-saturation',
    what: 'captured codes within 254 cannot: 254 * 129 = 32766',
    raises: { layer: SATURATING, x: [[254, 254]] },
    nearMiss: { layer: SATURATING, x: [[255, 254]] },
    finds: {
      severity: 'info',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; safe within the captured codes 254..254',
    },
  },
  {
    code: 'int16-saturation',
    what: 'two codes of 255 that never meet',
    raises: {
      layer: SATURATING,
      x: [
        [255, 0],
        [0, 255],
      ],
    },
    nearMiss: { layer: SATURATING, x: [[254, 254]] },
    finds: {
      severity: 'warning',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; it did in none of the captured values',
    },
  },
  {
    code: 'int16-saturation',
    what: 'two codes of 255 that do',
    raises: { layer: SATURATING, x: [[255, 255]] },
    nearMiss: { layer: SATURATING, x: [[255, 0]] },
    finds: {
      severity: 'error',
      message: 'x[0], x[1]: 255 * 127 + 255 * 2 = 32895 leaves int16; it did in 1 of 1 captured values',
    },
  },
  {
    code: 'int16-wrap',
    what: '2 * 128 * 128 is 32768; with one -127 it is 32640',
    raises: { layer: { weight: eightApart(-128, -128) } },
    nearMiss: { layer: { weight: eightApart(-128, -127) } },
    finds: {
      severity: 'warning',
      message: 'weights of -128 at k = 0 and 8 meet in one int16 and wrap where both activations are smallest',
    },
  },
  {
    code: 'accumulator-overflows-int32',
    what: '765 + bias is 2^31, or 1 less',
    raises: { layer: int32Bias(2 ** 31 - 765) },
    nearMiss: { layer: int32Bias(2 ** 31 - 766) },
    finds: {
      severity: 'warning',
      message: 'the accumulator can reach 2147483648, which int32 does not hold: it wraps',
    },
  },
  {
    code: 'accumulator-above-2^24',
    what: '765 + bias is 2^24 + 1, or 2^24',
    raises: { layer: int32Bias(2 ** 24 - 764) },
    nearMiss: { layer: int32Bias(2 ** 24 - 765) },
    finds: {
      severity: 'info',
      message: 'the accumulator can reach 16777217, above 2^24: converting it to float32 rounds',
    },
  },
  {
    code: 'accumulator-above-2^24',
    what: 'the capture reaches it, or stays 1 below',
    raises: { layer: int32Bias(2 ** 24 - 764), x: [[255, 255]] },
    nearMiss: { layer: int32Bias(2 ** 24 - 764), x: [[254, 255]] },
    finds: {
      severity: 'warning',
      message: 'the accumulator can reach 16777217, above 2^24: converting it to float32 rounds',
    },
  },
  {
    code: 'multiplier-range',
    what: 'XNNPACK takes less than 256',
    raises: { layer: { output: output(0.5 / 256) } },
    nearMiss: { layer: { output: output(0.5 / 255) } },
    finds: { severity: 'error', message: "multiplier 256 is outside XNNPACK's 2^-32..256" },
  },
  {
    code: 'multiplier-range',
    what: 'and 2^-32 at the least',
    raises: { layer: { output: output(2 ** 32) } },
    nearMiss: { layer: { output: output(2 ** 31) } },
    finds: { severity: 'error', message: "multiplier 1.1641532182693481e-10 is outside XNNPACK's 2^-32..256" },
  },
  {
    code: 'multiplier-range',
    what: 'a fixed-point multiplier has 31 bits',
    raises: { layer: { output: output(2 ** 32) } },
    nearMiss: { layer: { output: output(2 ** 31) } },
    finds: {
      severity: 'error',
      message: 'multiplier 1.1641532182693481e-10 is below 2^-32: the fixed-point multiplier is 0',
    },
  },
  {
    code: 'multiplier-range',
    what: '2^29 shifted left by 2 is 2^31',
    raises: { layer: { ...int32Bias(2 ** 29 - 765), output: output(0.25) } },
    nearMiss: { layer: { ...int32Bias(2 ** 29 - 766), output: output(0.25) } },
    finds: { severity: 'warning', message: 'multiplier 2 shifts the accumulator left by 2: 536870912 leaves int32' },
  },
  {
    code: 'multiplier-at-least-1',
    what: '0.5 / 0.5, 0.5 / 0.51',
    raises: { layer: { output: output(0.5) } },
    nearMiss: { layer: { output: output(0.51) } },
    finds: { severity: 'info', message: 'multiplier 1 is 1 or more: QNNPACK of older PyTorch releases refuses it' },
  },
  {
    code: 'bias-overflows-int32',
    what: '2^30 is 2^31 units of 0.5; the float32 below it fits',
    raises: { layer: { bias: [2 ** 30] } },
    nearMiss: { layer: { bias: [2 ** 30 - 64] } },
    finds: {
      severity: 'error',
      message: 'bias 1073741824 is 2147483648 accumulator units, which int32 does not hold: it is clamped',
    },
  },
  {
    code: 'bias-lost-in-float32',
    what: '2^24 units, or 2 less',
    raises: { layer: { bias: [2 ** 23] } },
    nearMiss: { layer: { bias: [2 ** 23 - 1] } },
    finds: {
      severity: 'warning',
      message:
        'bias 8388608 is 16777216 accumulator units, above 2^24: added in float32, the low bits of the accumulator are lost',
    },
  },
  {
    code: 'bias-rounding',
    what: '0.25 is half a unit: 0.625 steps of 0.4, and half a step of 0.5',
    raises: { layer: { bias: [0.25], output: output(0.4) } },
    nearMiss: { layer: { bias: [0.25], output: output(0.5) } },
    finds: { severity: 'warning', message: 'rounding bias 0.25 to int32 moves the output by 0.625 steps' },
  },
  {
    code: 'weight-zero-point',
    what: 'oneDNN takes 0 only',
    raises: { layer: { weight_zero_point: 1 } },
    nearMiss: { layer: { weight_zero_point: 0 } },
    finds: {
      severity: 'error',
      message: '1 of 1 channels have a weight zero point, the first is channel 0: 1; oneDNN refuses the layer',
    },
  },
  {
    code: 'weight-zero-point',
    what: 'TFLite takes 0 only per channel',
    raises: { layer: { weight_scale: [0.5], weight_zero_point: [1] } },
    nearMiss: { layer: { weight_zero_point: 1 } },
    finds: {
      severity: 'error',
      message: '1 of 1 channels have a weight zero point, the first is channel 0: 1; TFLite wants 0 per channel',
    },
  },
  {
    code: 'weight-zero-point',
    what: 'XNNPACK ignores one of the whole tensor',
    raises: { layer: { weight_zero_point: 1 } },
    nearMiss: { layer: { weight_scale: [0.5], weight_zero_point: [1] } },
    finds: {
      severity: 'warning',
      message:
        '1 of 1 channels have a weight zero point, the first is channel 0: 1; the XNNPACK delegate of LiteRT 1.2 and 1.4 ignores it',
    },
  },
  {
    code: 'dead-channel',
    what: 'at the most (765 - 1561) / 8 = -99.5 rounds to -100, -99.375 to -99',
    raises: { layer: int32Bias(-1561) },
    nearMiss: { layer: int32Bias(-1560) },
    finds: { severity: 'warning', message: 'the output is 0, at the clamp, whatever the input' },
  },
  {
    code: 'dead-channel',
    what: 'at the least 1237 / 8 = 154.625 rounds to 155, 154.5 to 154',
    raises: { layer: int32Bias(1237) },
    nearMiss: { layer: int32Bias(1236) },
    finds: { severity: 'warning', message: 'the output is 255, at the clamp, whatever the input' },
  },
  {
    code: 'dead-channel',
    what: 'two captured samples at the clamp',
    raises: { x: TWO, y: [0, 0] },
    nearMiss: { x: TWO, y: [0, 1] },
    finds: { severity: 'info', message: 'the output is 0, at the clamp, in all 2 captured samples' },
  },
  {
    code: 'constant-channel',
    what: 'weights of 0',
    raises: { layer: { weight: [[0, 0]] } },
    nearMiss: { layer: { weight: [[0, 1]] } },
    finds: { severity: 'warning', message: 'the output is 100 whatever the input' },
  },
  {
    code: 'constant-channel',
    what: 'two captured samples of one code; a single sample says nothing',
    raises: { x: TWO, y: [7, 7] },
    nearMiss: { x: [[9, 9]], y: [7] },
    finds: { severity: 'info', message: 'the output is 7 in all 2 captured samples' },
  },
  {
    code: 'unused-range',
    what: '128 of 256 codes, or 129',
    raises: { x: TWO, y: [64, 191] },
    nearMiss: { x: TWO, y: [64, 192] },
    finds: { severity: 'info', message: 'the captured output uses codes 64..191 of 0..255: 1 bit is unused' },
  },
  {
    code: 'reduce-range-exceeded',
    what: 'a code of 128 where 127 is declared',
    raises: { input: { quant_max: 127 }, x: [[0, 128]] },
    nearMiss: { input: { quant_max: 127 }, x: [[0, 127]] },
    finds: {
      severity: 'warning',
      message: 'the input declares 0..127 (reduce_range), but the capture holds codes up to 128',
    },
  },
  {
    code: 'reduce-range-exceeded',
    what: '128 or more is no reduce_range',
    raises: { input: { quant_max: 127 }, x: [[0, 128]] },
    nearMiss: { input: { quant_max: 128 }, x: [[0, 129]] },
    finds: {
      severity: 'warning',
      message: 'the input declares 0..127 (reduce_range), but the capture holds codes up to 128',
    },
  },
  {
    code: 'reduce-range-exceeded',
    what: 'nor is 63 of int8',
    raises: { input: { quant_max: 127 }, x: [[0, 128]] },
    nearMiss: { input: { dtype: 'int8', quant_max: 63 }, x: [[0, 64]] },
    finds: {
      severity: 'warning',
      message: 'the input declares 0..127 (reduce_range), but the capture holds codes up to 128',
    },
  },
];

describe.each(TABLE)('$code: $what', ({ code, raises, nearMiss, finds }) => {
  it('is raised, and not by the near miss', async () => {
    const raised = (await findingsOf(raises)).filter((found) => found.code === code);
    const expected = raised.find(({ message }) => message === finds.message);
    expect(expected, JSON.stringify(raised)).toMatchObject(finds);
    const same = (found: LintFinding) =>
      found.code === code && found.severity === finds.severity && `${found.kernels}` === `${expected!.kernels}`;
    expect((await findingsOf(nearMiss)).filter(same)).toEqual([]);
  });
});

it('words and kernels of every case', async () => {
  const blocks: string[] = [];
  for (const { code, what, raises, finds } of TABLE) {
    const found = (await findingsOf(raises)).find(({ message }) => message === finds.message)!;
    const { severity, kernels, message, fix, evidence } = found;
    const lines = [`on   ${kernels.join(', ') || '-'}`, message, `fix  ${fix}`, JSON.stringify(evidence)];
    blocks.push([`${severity} ${code}: ${what}`, ...lines.map((line) => `  ${line}`)].join('\n'));
  }
  await expect(`${blocks.join('\n\n')}\n`).toMatchFileSnapshot('rules.txt');
});

describe('the registry', () => {
  const codes = rules.flat().map(({ code }) => code);

  it('has a row of the table for every code, and each code once', () => {
    expect([...new Set(TABLE.map(({ code }) => code))].sort()).toEqual([...codes].sort());
  });

  it('holds every rule of the folder', async () => {
    const folder = join(import.meta.dirname, '../../../src/analyze/lint/rules');
    const files = await Promise.all(readdirSync(folder).map((file) => import(join(folder, file))));
    expect(new Set(files.flatMap((file) => Object.values(file)))).toEqual(new Set(rules.flat()));
  });

  it('asks every rule of channels or of the layer', () => {
    const asked = rules.flat().filter(({ ofChannel, ofLayer }) => Boolean(ofChannel) !== Boolean(ofLayer));
    expect(asked.map(({ code }) => code)).toEqual(codes);
  });
});

it('the small layer itself has no findings, with a capture and without', async () => {
  expect(await findingsOf({})).toEqual([]);
  expect(await findingsOf({ x: TWO })).toEqual([]);
});

it('a float output has no multiplier, no clamp and no codes', async () => {
  const layer = { output: { dtype: 'float32' }, weight_scale: 1e6, bias: [0.25] };
  expect(await findingsOf({ layer })).toEqual([]);
});

it('a row of rules is asked channel by channel', async () => {
  const two = {
    weight: [
      [1, 2],
      [1, 2],
    ],
    weight_scale: 0.5,
    output: output(0.5 / 256),
  };
  const found = await findingsOf({ layer: two });
  const multipliers = found.filter(({ code }) => code.startsWith('multiplier'));
  expect(multipliers.map(({ code, channel }) => `${channel} ${code}`)).toEqual([
    '0 multiplier-range',
    '0 multiplier-at-least-1',
    '1 multiplier-range',
    '1 multiplier-at-least-1',
  ]);
});

it('what int32 does not hold is said once', async () => {
  const found = await findingsOf({ layer: { bias: [2 ** 30] } });
  const said = found.map(({ code }) => code).filter((code) => /^(accumulator|bias)/.test(code));
  expect(said).toEqual(['accumulator-overflows-int32', 'bias-overflows-int32']);
});

it('what only the words need stays out of the document', async () => {
  const [first] = await findingsOf({ layer: { weight_zero_point: 1 } });
  expect(Object.keys(first)).toEqual(['code', 'severity', 'channel', 'kernels', 'message', 'fix', 'evidence', 'layer']);
  expect(first.evidence).toEqual({ channels: 1 });
});
