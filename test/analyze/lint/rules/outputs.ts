import { int32Bias, type Row } from './case.js';

/** Two samples that nothing is to be said of. */
export const TWO = [
  [0, 0],
  [9, 9],
];

/** Codes that never come, and codes that should not. */
export const outputs: readonly Row[] = [
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
