import { expect, test } from 'vitest';
import { displayWidth } from '../../src/report/terminal/layout.js';
import { progressLine } from '../../src/report/terminal/progress.js';

const state = {
  layer: 'model.layers.31.self_attn.q_proj',
  layersDone: 30,
  layersTotal: 120,
  samplesDone: 256,
  samplesTotal: 512,
  elapsedMs: 61_000,
};
const line = (change: object, width = 100) => progressLine({ ...state, ...change }, { width, unicode: true });

test.each([
  [{}, 100, '25%, layer 31 of 120, 3 min left, 30 layers/min, sample 256 of 512: m.layers.31.self_attn.q_proj'],
  [{}, 60, '25%, layer 31 of 120, 3 min left, 30 layers/min: m.l.…_proj'],
  [{ tried: 400 }, 60, 'layer 31 of 120, trying hypothesis 400: m.l.31.s.q_proj'],
  [{}, 30, '25%, layer 31 of 120: m.l…roj'],
  [{ elapsedMs: 2999 }, 100, '25%, layer 31 of 120, sample 256 of 512: model.layers.31.self_attn.q_proj'],
  [
    { layersDone: 119, samplesDone: 512 },
    100,
    '100%, layer 120 of 120, 0 s left, 2 layers/s, sample 512 of 512: model.layers.31.self_attn.q_proj',
  ],
  [
    { layersDone: 0, samplesDone: 1, layer: 'a\u001b[2J' },
    100,
    '0%, layer 1 of 120, 1041 h 3 min left, 0.0019 layers/min, sample 1 of 512: a\\x1b[2J',
  ],
])('%j at %i columns', (change, width, expected) => {
  expect(line(change, width).trimEnd()).toBe(expected);
});

test('always one column short of the width, so that the next line covers it and none wraps', () => {
  for (const width of [10, 30, 60, 100]) expect(displayWidth(line({}, width))).toBe(width - 1);
});
