/** At both sides of each bound: beyond it the runtime is right, and its name would be blamed for nothing. */
import { describe, expect, test } from 'vitest';
import { defects } from '../../../src/kernels/steps/knownDefects.js';
import type { Producer } from '../../../src/nouns/model.js';
import type { PlacedPatch, Window } from '../../../src/nouns/window.js';
import { WINDOW_3X3 } from '../../support/window.js';

function has(
  beginning: string,
  { window = {}, ...patch }: { window?: object } & Partial<Omit<PlacedPatch, 'window'>>,
  producer = {},
) {
  const defect = defects.find(({ what }) => what.startsWith(beginning))!;
  const all = {
    groups: 1,
    inChannels: 4,
    outChannels: 4,
    output: [8, 8],
    ...patch,
    window: { ...WINDOW_3X3, ...window } as unknown as Window,
  };
  return defect.has(all as unknown as PlacedPatch, 1, producer as Producer);
}

const transposed = { transposed: [0, 0] };

test.each([
  [{ inChannels: 4, outChannels: 6, window: transposed }, true],
  [{ inChannels: 4, outChannels: 4, window: transposed }, false],
  [{ inChannels: 4, outChannels: 6 }, false],
])('weights in a wrong order: %j is %s', (patch, is) => {
  expect(has('oneDNN is handed', patch)).toBe(is);
});

test.each([
  [{ window: { ...transposed, stride: [5, 1] } }, true],
  [{ window: { ...transposed, stride: [4, 9] } }, false],
  [{ window: { ...transposed, stride: [5, 1], dilation: [2, 1] } }, false],
  [{ window: { ...transposed, stride: [7, 1], dilation: [2, 1] } }, true],
  [{ window: { stride: [5, 1] } }, false],
  [{ window: { transposed: [0], kernel: [3], stride: [9], dilation: [1] } }, false],
])('rows without taps: %j is %s', (patch, is) => {
  expect(has('oneDNN leaves the last', patch)).toBe(is);
});

test.each([
  [{ output: [5, 1], window: { stride: [1, 2] } }, {}, true],
  [{ output: [5, 1], window: { stride: [1, 2] } }, { amxInt8: false }, false],
  [{ output: [4, 1], window: { stride: [1, 2] } }, {}, false],
  [{ output: [5, 2], window: { stride: [1, 2] } }, {}, false],
  [{ output: [5, 1], window: { stride: [2, 1] } }, {}, false],
  [{ output: [5, 1], window: { ...transposed, stride: [1, 2] } }, {}, false],
])('AMX, an output of width 1: %j, %j is %s', (patch, producer, is) => {
  expect(has('oneDNN on AMX', patch, producer)).toBe(is);
});

test.each([
  [{ window: { ...transposed, kernel: [3, 3, 3] } }, true],
  [{ window: transposed }, false],
  [{ window: { kernel: [3, 3, 3] } }, false],
])('QNNPACK: %j is %s', (patch, is) => {
  expect(has('QNNPACK computes', patch)).toBe(is);
});

describe('groups left over', () => {
  const leftOver = (patch: Parameters<typeof has>[1], producer = {}) => has("FBGEMM's groupwise", patch, producer);

  // registers of 64 bytes take four groups of 4 channels together, of 32 two
  test.each([
    [6, 4, {}, true],
    [8, 4, {}, false],
    [3, 4, {}, false],
    [6, 4, { avx512: false }, false],
    [5, 4, { avx512: false }, true],
    [12, 2, {}, true],
    [16, 2, {}, false],
    [3, 8, {}, false],
    [3, 16, {}, false],
    [9, 3, {}, false],
  ])('%i of %i channels on %j: %s', (groups, channels, producer, is) => {
    expect(leftOver({ groups, inChannels: channels, outChannels: channels }, producer)).toBe(is);
  });

  test.each([
    [{ stride: [2, 2] }, true],
    [{ stride: [3, 3] }, false],
    [{ stride: [1, 2] }, false],
    [{ kernel: [3, 5] }, false],
    [
      {
        padding: [
          [1, 1],
          [1, 0],
        ],
      },
      false,
    ],
    [{ dilation: [1, 2] }, false],
    [transposed, false],
  ])('of windows with %j: %s', (window, is) => {
    expect(leftOver({ groups: 6, window })).toBe(is);
  });

  test('of as many outputs as inputs alone', () => {
    expect(leftOver({ groups: 6, inChannels: 4, outChannels: 8 })).toBe(false);
  });
});
