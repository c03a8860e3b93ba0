/**
 * QNNPACK's clamp (relu6, hardtanh, clamp) in PyTorch: the input is taken as it lies in memory, the output is a contiguous tensor. Of a
 * channels_last image each value is that of another place. Source: qclamp.cpp of PyTorch 2.13.0, whose output is made without the
 * input's memory format.
 */

import type { ElementwiseSteps } from '../../nouns/kernel.js';
import { int32s } from '../../numeric/array.js';
import { sizeOf } from '../../tensor/shape.js';

export const takenInMemoryOrder: NonNullable<ElementwiseSteps['taken']> = ({ input, clamp }, { format }, { dims }) => {
  const isClamp = clamp !== null && Number.isFinite(clamp.lower) && Number.isFinite(clamp.upper);
  const [channels, places] = [dims[0], sizeOf(dims.slice(1))];
  if (!isClamp || input.dtype !== 'uint8' || format !== 'channels_last' || channels === 1 || places === 1) return null;
  return int32s({ length: channels * places }, (_, i) => (i % channels) * places + Math.floor(i / channels));
};
