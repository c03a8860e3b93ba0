import type { Window } from '../../nouns/window.js';
import {
  combinations,
  hasDeclaredWindow,
  hasWindow,
  madeOnce,
  type WindowChange,
  type WindowStudy,
  windowOf,
  withWindow,
} from '../alternatives/geometry.js';
import { isPool } from '../alternatives/pools.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, OtherSteps, SomeChannels } from '../finding/evidence.js';
import type { TensorChange } from '../setup.js';
import type { CauseWords } from '../words/causeWords.js';
import { codeOf, inC, modelLine } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { fileOf } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'stride-wrong': SomeChannels & OtherSteps;
    'dilation-wrong': SomeChannels & OtherSteps;
    'kernel-size-wrong': SomeChannels & OtherSteps;
  }
}

type Field = 'stride' | 'dilation' | 'kernel_size';

const otherSteps = (name: Field, explanation: string): CauseWords<CauseEvidence['stride-wrong']> => ({
  title: (e) =>
    `${name.replace('_', ' ')} ${e.found?.join(', ') ?? 'another'}${e.declared ? `, not ${e.declared.join(', ')}` : ''}`,
  explanation,
  ofOneLayer: true,
  evidence: (e) => [e.padding ? `and padding ${e.padding.map((ends) => ends.join(' and ')).join('; ')}` : null],
  fix: parameterFix(
    (context) => `correct ${field(context, name)} in ${fileOf(context)}`,
    `use the declared ${name.replace('_', ' ')}`,
  ),
  code: (e, context) =>
    codeOf(e.declared ? [inC(LINES[name](e.declared.at(-2) ?? e.declared[0], e.declared.at(-1)!))] : [], () =>
      e.found ? [modelLine(context, { [name]: e.found, ...(e.padding ? { padding: e.padding } : {}) })] : [],
    )(context),
});

/** y, x: what the file says. */
const LINES: Readonly<Record<Field, (y: number, x: number) => string>> = {
  stride: (y, x) => `iy = oy * ${y} + ky * DILATION_Y - PAD_Y; ix = ox * ${x} + kx * DILATION_X - PAD_X;`,
  dilation: (y, x) => `iy = oy * STRIDE_Y + ky * ${y} - PAD_Y; ix = ox * STRIDE_X + kx * ${x} - PAD_X;`,
  kernel_size: (y, x) => `for (ky = 0; ky < ${y}; ky++) for (kx = 0; kx < ${x}; kx++)`,
};

/** Beyond these no convolution is found in networks. */
const MOST_STRIDE = 4;
const MOST_DILATION = 6;

/** Windows that lie further apart, or nearer, than the file says. */
export const strideWrong: Cause<'stride-wrong', 'product' | 'tensor'> = {
  code: 'stride-wrong',
  kinds: ['product', 'tensor'],
  needs: [hasWindow],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) =>
    !hasDeclaredWindow(study, base) ? [] : base === study.declared ? otherStrides(study) : evenStrides(study),

  words: otherSteps('stride', 'Windows lie further apart, or nearer, than the file says.'),
};

/** Taps that lie further apart, or nearer, than the file says. */
export const dilationWrong: Cause<'dilation-wrong', 'product' | 'tensor'> = {
  code: 'dilation-wrong',
  kinds: ['product', 'tensor'],
  needs: [hasWindow],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) =>
    !hasDeclaredWindow(study, base) ? [] : base === study.declared ? otherDilations(study) : evenDilations(study),

  words: otherSteps('dilation', 'Taps lie further apart, or nearer, than the file says.'),
};

/** Windows of a pool that are larger or smaller: loops one short, or a size of another layer. */
export const kernelSizeWrong: Cause<'kernel-size-wrong', 'tensor'> = {
  code: 'kernel-size-wrong',
  kinds: ['tensor'],
  needs: [isPool],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) => (base === study.declared ? (otherSizes(study) as TensorChange[]) : []),

  words: otherSteps('kernel_size', 'Each window takes more places of the image, or fewer, than the file says.'),
};

const otherSizes = madeOnce((study: WindowStudy) => {
  const { window, input } = windowOf(study);
  const sizes = window.kernel.map((own, axis) => othersOf(own, Math.min(own + 1, input[axis])));
  return combinations(sizes).flatMap((kernel) => {
    const padding = window.padding.map(([before, after], axis): [number, number] => [
      before + kernel[axis] - window.kernel[axis],
      after,
    ]);
    const isFirstRead = padding.every(([before]) => before >= 0) || study.data.side === 'candidate';
    return [
      ...changes(study, 'kernel-size-wrong', { kernel }),
      ...(isFirstRead ? changes(study, 'kernel-size-wrong', { kernel, padding }) : []),
    ];
  });
});

const otherStrides = madeOnce((study: WindowStudy) => {
  const { window, output } = windowOf(study);
  const axes = window.stride.map((own, axis) => (output[axis] === 1 ? [own] : othersOf(own, MOST_STRIDE)));
  return combinations(axes).flatMap((stride) => changes(study, 'stride-wrong', { stride }));
});

const otherDilations = madeOnce((study: WindowStudy) => {
  const { window, input } = windowOf(study);
  // further apart only the first tap lies on the image: a kernel of one tap
  const most = input.map((size, axis) => Math.min(MOST_DILATION, size + window.padding[axis][0] - 1));
  const axes = window.dilation.map((own, axis) => (window.kernel[axis] === 1 ? [own] : othersOf(own, most[axis])));
  return combinations(axes).flatMap((dilation) => [
    ...changes(study, 'dilation-wrong', { dilation }),
    ...centred(study, dilation),
  ]);
});

/** Beside another mistake the same along all axes: each pair of two dilations on each of a hundred bases is thousands. */
const evenStrides = madeOnce((study: WindowStudy) => {
  const { output } = windowOf(study);
  return otherStrides(study).filter(isEven((axis) => output[axis] > 1));
});

const evenDilations = madeOnce((study: WindowStudy) => {
  const { window } = windowOf(study);
  return otherDilations(study).filter(isEven((axis) => window.kernel[axis] > 1));
});

function isEven(mayMove: (axis: number) => boolean): (change: WindowChange) => boolean {
  return ({ found }) => new Set((found as OtherSteps).found!.filter((_, axis) => mayMove(axis))).size === 1;
}

function othersOf(own: number, most: number): number[] {
  const others = Array.from({ length: Math.max(most, own) }, (_, i) => i + 1).filter((other) => other !== own);
  return [own, ...others.sort((a, b) => Math.abs(a - own) - Math.abs(b - own))];
}

function changes(
  study: WindowStudy,
  cause: keyof typeof FIELD,
  changed: Partial<Pick<Window, 'kernel' | 'stride' | 'dilation' | 'padding'>>,
): WindowChange[] {
  const { window } = windowOf(study);
  const [declared, found] = [window[FIELD[cause]], changed[FIELD[cause]]!];
  const padding = changed.padding && { padding: changed.padding };
  const label = `${found.join()}${padding ? ` padding ${padding.padding.join(' ')}` : ''}`;
  return [withWindow(study, changed, { cause, label, found: { declared, found, ...padding } })];
}

const FIELD = { 'stride-wrong': 'stride', 'dilation-wrong': 'dilation', 'kernel-size-wrong': 'kernel' } as const;

/** Padding that keeps the middle tap where it is: what "same" padding does with another dilation. */
function centred(study: WindowStudy, dilation: readonly number[]): WindowChange[] {
  const { window } = windowOf(study);
  const moves = dilation.map((own, axis) => ((own - window.dilation[axis]) * (window.kernel[axis] - 1)) / 2);
  const padding = window.padding.map(([before, after], axis): [number, number] => [
    before + moves[axis],
    after + moves[axis],
  ]);
  if (padding.flat().some((own) => own < 0 || !Number.isInteger(own))) return [];
  return changes(study, 'dilation-wrong', { dilation, padding });
}
