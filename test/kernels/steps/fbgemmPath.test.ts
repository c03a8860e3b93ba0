/** Which of FBGEMM's kernels computes a convolution, at both sides of each bound: it decides whether sums saturate on a CPU with VNNI. */
import { describe, expect, test } from 'vitest';
import { fbgemmLibrary } from '../../../src/kernels/libraries.js';
import { fbgemmPathOf } from '../../../src/kernels/steps/fbgemmConvolution.js';
import type { PlacedPatch } from '../../../src/nouns/window.js';
import { WINDOW_3X3 } from '../../support/window.js';

interface Own extends Partial<Omit<PlacedPatch, 'window'>> {
  readonly window?: object;
}

/** 3x3, padding 1, eight groups of one channel. */
function depthwise({ window, ...patch }: Own): PlacedPatch {
  return {
    groups: 8,
    inChannels: 1,
    outChannels: 1,
    ...patch,
    window: { ...WINDOW_3X3, ...window },
  } as unknown as PlacedPatch;
}

/** Transposed, 2x2, without padding, 8 channels to 8. */
function direct({ window, ...patch }: Own): PlacedPatch {
  const plain = {
    kernel: [2, 2],
    stride: [1, 1],
    padding: [
      [0, 0],
      [0, 0],
    ],
    dilation: [1, 1],
    transposed: [0, 0],
  };
  return {
    groups: 1,
    inChannels: 8,
    outChannels: 8,
    ...patch,
    window: { ...plain, ...window },
  } as unknown as PlacedPatch;
}

describe('depthwise', () => {
  test.each<[Own, boolean]>([
    [{}, true],
    [{ groups: 16, outChannels: 2 }, true],
    [{ groups: 12 }, false],
    [{ outChannels: 3 }, false],
    [{ inChannels: 2 }, false],
    [{ window: { stride: [2, 2] } }, true],
    [{ window: { stride: [3, 1] } }, false],
    [{ window: { dilation: [1, 2] } }, false],
    [
      {
        window: {
          kernel: [5, 5],
          padding: [
            [2, 2],
            [2, 2],
          ],
        },
      },
      true,
    ],
    [
      {
        window: {
          kernel: [7, 7],
          padding: [
            [3, 3],
            [3, 3],
          ],
        },
      },
      true,
    ],
    [
      {
        window: {
          kernel: [9, 9],
          padding: [
            [4, 4],
            [4, 4],
          ],
        },
      },
      false,
    ],
    [
      {
        window: {
          kernel: [3, 5],
          padding: [
            [1, 1],
            [2, 2],
          ],
        },
      },
      false,
    ],
    [
      {
        window: {
          padding: [
            [1, 1],
            [1, 0],
          ],
        },
      },
      false,
    ],
    [{ window: { kernel: [3], stride: [1], padding: [[1, 1]], dilation: [1] } }, false],
  ])('%j: %s', (own, is) => {
    const patch = depthwise(own);
    expect([fbgemmPathOf(patch), fbgemmLibrary.saturatesIn!(patch)]).toEqual(
      is ? ['depthwise', 'depthwise'] : ['others', null],
    );
  });
});

describe('direct', () => {
  test.each<[Own, boolean]>([
    [{}, true],
    [{ window: { kernel: [2, 6] } }, true],
    [{ window: { kernel: [2, 7] } }, false],
    [{ window: { kernel: [3, 2] } }, false],
    [{ groups: 2 }, false],
    [{ inChannels: 12 }, false],
    [{ outChannels: 4 }, false],
    [{ window: { stride: [2, 2] } }, true],
    [{ window: { stride: [1, 3] } }, false],
    [{ window: { dilation: [2, 1] } }, false],
    [
      {
        window: {
          padding: [
            [0, 0],
            [0, 1],
          ],
        },
      },
      false,
    ],
  ])('%j: %s', (own, is) => {
    const patch = direct(own);
    expect([fbgemmPathOf(patch), fbgemmLibrary.saturatesIn!(patch)]).toEqual(
      is ? ['direct', 'direct'] : ['others', null],
    );
  });
});
