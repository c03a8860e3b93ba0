import { expect, test } from 'vitest';
import { downward } from '../../src/kernels/steps/round.js';
import { compareLayer, fbgemmWith, outputsOf, randomFrom, worldOf } from './world.js';

const world = worldOf('per tensor', randomFrom(41));
const captured = outputsOf(world, fbgemmWith({ round: downward }));

test.each([
  ['my-npu', 'rounding-floor'],
  ['onnxruntime', 'unexplained'],
])('a capture of %s that rounds down: %s', async (framework, cause) => {
  const report = await compareLayer(world, world.linear, captured, { producer: { framework, kernel: 'fbgemm' } });
  expect(report.layers[0].diagnosis!.causes).toEqual([cause]);
});
