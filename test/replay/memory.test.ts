/** How a value lies in memory decides which of ATen's two roundings it gets. */
import { expect, it } from 'vitest';
import { memoryIn } from '../../src/replay/tensor.js';
import { validateModel } from '../../src/validate/model.js';

const CODES = { dtype: 'uint8', scale: 0.5, zero_point: 3 };

async function formatOf(shuffled: object): Promise<string> {
  const raw = {
    format: 'qdiff-model',
    version: 1,
    producer: { framework: 'pytorch', engine: 'fbgemm' },
    inputs: [{ name: 'x', ...CODES, shape: [4, 3, 2], memory_format: 'channels_last' }],
    layers: [{ name: 'y', op: 'pixel_shuffle', input: 'x', upscale_factor: 2, ...shuffled }],
  };
  return memoryIn(await validateModel(raw, 'model.json', 'none'))('y').format;
}

it('a value that says its shape and no more is contiguous, as pixel_shuffle makes it of channels_last', async () => {
  expect(await formatOf({ shape: [1, 6, 4] })).toBe('contiguous');
  expect(await formatOf({ shape: [1, 6, 4], memory_format: 'channels_last' })).toBe('channels_last');
});

it('one that says neither lies like its input', async () => {
  expect(await formatOf({})).toBe('channels_last');
});
