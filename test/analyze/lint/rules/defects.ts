import { defects } from '../../../../src/kernels/steps/knownDefects.js';
import type { Case, Row } from './case.js';

type Dims = readonly number[];

function ones([first, ...rest]: Dims): unknown[] {
  return Array.from({ length: first }, () => (rest.length === 0 ? 1 : ones(rest)));
}

function convolution(op: string, input: Dims, weight: Dims, options: object = {}): Case {
  return { input: { shape: input }, layer: { op, weight: ones(weight), ...options } } as Case;
}

const PADDED = { padding: [1, 1] };
const [scrambled, rows, narrow, direct, groupwise, volume] = defects;

/** Geometries of which a runtime is known to be wrong. */
const CASES: readonly [what: string, defect: (typeof defects)[number], raises: Case, nearMiss: Case][] = [
  [
    'four inputs, two outputs; four of either',
    scrambled,
    convolution('conv_transpose2d', [4, 3, 3], [4, 2, 3, 3]),
    convolution('conv_transpose2d', [4, 3, 3], [4, 4, 3, 3]),
  ],
  [
    'stride 3 of kernel height 1; stride 2',
    rows,
    convolution('conv_transpose2d', [4, 3, 3], [4, 4, 1, 1], { stride: [3, 1] }),
    convolution('conv_transpose2d', [4, 3, 3], [4, 4, 1, 1], { stride: [2, 1] }),
  ],
  [
    'width 4 to 1 by stride 2; width 5 to 2',
    narrow,
    convolution('conv2d', [4, 11, 4], [4, 4, 3, 3], { stride: [2, 2] }),
    convolution('conv2d', [4, 11, 5], [4, 4, 3, 3], { stride: [2, 2] }),
  ],
  [
    'eight channels, kernel height 2; height 3',
    direct,
    convolution('conv_transpose2d', [8, 3, 3], [8, 8, 2, 2], { stride: [2, 2] }),
    convolution('conv_transpose2d', [8, 3, 3], [8, 8, 3, 2], { stride: [2, 2] }),
  ],
  [
    'nine groups of two; eight',
    groupwise,
    convolution('conv2d', [18, 4, 4], [18, 2, 3, 3], { groups: 9, ...PADDED }),
    convolution('conv2d', [16, 4, 4], [16, 2, 3, 3], { groups: 8, ...PADDED }),
  ],
  [
    'a volume; an image',
    volume,
    convolution('conv_transpose3d', [2, 3, 3, 3], [2, 2, 3, 3, 3]),
    convolution('conv_transpose2d', [2, 3, 3], [2, 2, 3, 3]),
  ],
];

export const knownDefects: readonly Row[] = CASES.map(([what, defect, raises, nearMiss]) => ({
  code: 'kernel-defect',
  what,
  raises,
  nearMiss,
  finds: { severity: 'warning', message: `${defect.what} (PyTorch 2.13.0 or before)` },
}));
