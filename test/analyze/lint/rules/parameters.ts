import { int32Bias, output, type Row } from './case.js';

/** Multiplier, bias and weight zero point. */
export const parameters: readonly Row[] = [
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
];
