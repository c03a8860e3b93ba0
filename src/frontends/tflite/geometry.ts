/** Windows over images [N, H, W, C]: strides, dilations and the padding that SAME stands for, height before width. */
import type { Tensor } from '../../load/tflite/model.js';
import type { Node } from './node.js';

export interface Geometry {
  readonly stride: readonly number[];
  readonly dilation: readonly number[];
  /** Cells before and after, a dimension. */
  readonly padding: readonly (readonly [before: number, after: number])[];
  /** Of SAME. */
  readonly same?: true;
}

const SAME = 0;
const VALID = 1;

/** kernel: [height, width]; from and to: the image that windows walk over, and the one with a value for each window. */
export function geometryOf(
  node: Node,
  kernel: readonly number[],
  from: Tensor,
  to: Tensor,
  dilates: boolean,
): Geometry {
  const stride = [node.positive('stride_h'), node.positive('stride_w')];
  const dilation = dilates ? [node.positive('dilation_h'), node.positive('dilation_w')] : [1, 1];
  const padding = node.number('padding');
  if (padding !== SAME && padding !== VALID) throw node.refuse(`expected padding 0 or 1, got ${padding}`);
  const sides = [0, 1].map((axis) => {
    const window = { size: (kernel[axis] - 1) * dilation[axis] + 1, stride: stride[axis] };
    const [input, output] = [from.shape[axis + 1], to.shape[axis + 1]];
    checkOutput(node, window, input, output, padding);
    return padding === VALID ? ([0, 0] as const) : samePadding(window, input, output);
  });
  return { stride, dilation, padding: sides, ...(padding === SAME ? { same: true } : {}) };
}

interface Window {
  /** Cells from its first to its last. */
  readonly size: number;
  readonly stride: number;
}

/** The odd cell comes last. */
function samePadding({ size, stride }: Window, input: number, output: number): readonly [number, number] {
  const total = Math.max((output - 1) * stride + size - input, 0);
  const before = Math.floor(total / 2);
  return [before, total - before];
}

function checkOutput(node: Node, { size, stride }: Window, input: number, output: number, padding: number): void {
  const expected = padding === SAME ? Math.ceil(input / stride) : Math.floor((input - size) / stride) + 1;
  if (expected === output) return;
  const window = `windows of ${size} every ${stride} over ${input}`;
  throw node.refuse(`expected an output of ${expected} (${window}), got ${output}`);
}

/** Images have four axes; others are refused with both. */
export function expectImages(node: Node, ...tensors: readonly Tensor[]): void {
  const wrong = tensors.find(({ shape }) => shape.length !== 4);
  if (wrong) throw node.refuse(`expected tensors of 4 dimensions, got [${wrong.shape.join(', ')}]`);
}
