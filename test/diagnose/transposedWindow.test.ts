import { expect, it } from 'vitest';
import { overDeclaredOutput, windowedOf } from '../../src/diagnose/alternatives/pools.js';
import type { TensorStudy } from '../../src/diagnose/study/study.js';
import type { Window } from '../../src/nouns/window.js';
import { windowDims } from '../../src/tensor/patches.js';

/** Of 2 x 2 places are made 6 x 6. */
const window: Window = {
  kernel: [4, 4],
  stride: [4, 4],
  padding: [
    [1, 1],
    [1, 1],
  ],
  dilation: [1, 1],
  ceil: false,
  transposed: [0, 0],
};
const [input, output] = [
  { dims: [3, 2, 2], channelAxis: 0 },
  { dims: [3, 6, 6], channelAxis: 0 },
];

function studyOf(own: Window): TensorStudy {
  const whole = { ready: { shapes: { inputs: [input], output } } };
  return { declared: { params: { attributes: { window: own } } }, data: { whole } } as unknown as TensorStudy;
}

it('a transposed convolution of floats is no pool: other windows over its output would have less than no places', () => {
  expect(windowedOf(studyOf(window))).toBeNull();
  expect(windowedOf(studyOf({ ...window, transposed: null }))).toMatchObject({ input: [2, 2], output: [6, 6] });
  const other = overDeclaredOutput({ ...window, stride: [1, 1] }, { window, input: [2, 2], output: [6, 6] });
  expect(Math.min(...windowDims(other, [2, 2]))).toBeLessThan(0);
});
