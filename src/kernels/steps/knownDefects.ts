/**
 * Where a runtime is wrong by its own documents. Each was seen in PyTorch 2.13.0: what its kernels give there is either modelled, and
 * then replayed like everything else, or memory that nobody wrote, which nothing can replay.
 */
import type { Producer } from '../../nouns/model.js';
import type { PlacedPatch } from '../../nouns/window.js';
import { fbgemmPathOf } from './fbgemmConvolution.js';

export interface Defect {
  /** Kernels that have it, by family. */
  readonly family: 'fbgemm' | 'onednn' | 'qnnpack';
  /** What is wrong. */
  readonly what: string;
  readonly avoid: string;
  /** The replay computes what the runtime does. */
  readonly modelled: boolean;
  /** Whether a convolution has it; batch: images of a call, where that is known. */
  has(patch: PlacedPatch, batch: number | null, producer: Producer): boolean;
}

export const defects: readonly Defect[] = [
  {
    family: 'onednn',
    what: 'oneDNN is handed the weights of a transposed convolution in a wrong order where a group has not as many outputs as inputs',
    avoid: 'use engine fbgemm or qnnpack, or as many output as input channels a group',
    modelled: true,
    has: ({ window, inChannels, outChannels }) => window.transposed !== null && inChannels !== outChannels,
  },
  {
    family: 'onednn',
    what: 'oneDNN leaves the last of several rows without taps of a transposed convolution uncomputed (stride_h >= dilation_h * (kernel_h - 1) + 3)',
    avoid: 'use a smaller stride along the height, or engine qnnpack',
    modelled: false,
    has: ({ window: { transposed, kernel, stride, dilation } }) => {
      const axis = kernel.length - 2;
      return transposed !== null && axis >= 0 && stride[axis] >= dilation[axis] * (kernel[axis] - 1) + 3;
    },
  },
  {
    family: 'onednn',
    what: 'oneDNN on AMX is wrong for an output of width 1 with a stride along it',
    avoid: 'set ONEDNN_MAX_CPU_ISA=AVX512_CORE_VNNI, or make the output wider',
    modelled: false,
    has: ({ window: { transposed, stride }, output }, _batch, { amxInt8 }) =>
      transposed === null &&
      amxInt8 !== false &&
      output.at(-1) === 1 &&
      stride.at(-1)! > 1 &&
      (output.at(-2) ?? 1) >= 5,
  },
  {
    family: 'fbgemm',
    what: "FBGEMM's direct kernel (transposed, kernel height 2, no padding) computes the first image of a call only, and takes a stride along the height for 1",
    avoid: 'call it with one image and a height stride of 1, or use engine qnnpack',
    modelled: false,
    has: (patch, batch) =>
      fbgemmPathOf(patch) === 'direct' && (batch === null || batch > 1 || patch.window.stride[0] > 1),
  },
  {
    family: 'fbgemm',
    what: "FBGEMM's groupwise kernel writes beyond its output where groups are no multiple of those it takes together",
    avoid: 'use another number of groups, or engine qnnpack',
    modelled: false,
    has: (patch, _batch, { avx512 }) => isLeftOver(patch, avx512 === false ? 32 : 64),
  },
  {
    family: 'qnnpack',
    what: 'QNNPACK computes conv_transpose3d wrongly',
    avoid: 'use engine fbgemm',
    modelled: false,
    has: ({ window: { transposed, kernel } }) => transposed !== null && kernel.length === 3,
  },
];

/** Of layers that clamp codes between two bounds (clampInMemoryOrder.ts). */
export const clampDefect: Pick<Defect, 'what' | 'avoid'> = {
  what: "QNNPACK's clamp (relu6, hardtanh, clamp) of a channels_last image writes its values in the order of memory into a contiguous tensor: they stand in wrong places",
  avoid: 'call contiguous() before it, or use engine fbgemm',
};

/** vector: bytes that its registers hold, by the CPU. */
function isLeftOver({ window, groups, inChannels, outChannels }: PlacedPatch, vector: number): boolean {
  const { kernel, stride, padding, dilation, transposed } = window;
  const fits =
    transposed === null &&
    kernel.length > 1 &&
    inChannels === outChannels &&
    [2, 4, 8, 16].includes(inChannels) &&
    kernel.every((size) => size === 3) &&
    padding.every((ends) => ends.every((by) => by === 1)) &&
    dilation.every((by) => by === 1) &&
    stride.at(-1) === stride.at(-2) &&
    stride.at(-1)! <= 2;
  const together = Math.max(vector / outChannels / Math.max(inChannels, 4), 1);
  return fits && groups >= together && groups % together !== 0;
}
