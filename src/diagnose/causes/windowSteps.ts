import type { Window } from '../../nouns/window.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, OtherSteps, SomeChannels } from '../evidence.js';
import { combinations, isConvolution, madeOnce, patchOf, withWindow } from '../geometry.js';
import type { ProductChange } from '../setup.js';
import type { ProductStudy } from '../study/study.js';
import type { CauseWords } from '../words/causeWords.js';
import { codeOf, inC, modelLine } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { fileOf } from '../words/parts.js';

declare module '../evidence.js' {
  interface CauseEvidence {
    'stride-wrong': SomeChannels & OtherSteps;
    'dilation-wrong': SomeChannels & OtherSteps;
  }
}

const otherSteps = (name: 'stride' | 'dilation', explanation: string): CauseWords<CauseEvidence['stride-wrong']> => ({
  title: (e) => `${name} ${e.found?.join(', ') ?? 'another'}${e.declared ? `, not ${e.declared.join(', ')}` : ''}`,
  explanation,
  ofOneLayer: true,
  evidence: (e) => [e.padding ? `and padding ${e.padding.map((ends) => ends.join(' and ')).join('; ')}` : null],
  fix: parameterFix((context) => `correct ${field(context, name)} in ${fileOf(context)}`, `use the declared ${name}`),
  code: (e, context) =>
    codeOf(
      e.declared
        ? [
            inC(
              name === 'stride'
                ? `iy = oy * ${e.declared.at(-2) ?? e.declared[0]} + ky * DILATION_Y - PAD_Y; ix = ox * ${e.declared.at(-1)} + kx * DILATION_X - PAD_X;`
                : `iy = oy * STRIDE_Y + ky * ${e.declared.at(-2) ?? e.declared[0]} - PAD_Y; ix = ox * STRIDE_X + kx * ${e.declared.at(-1)} - PAD_X;`,
            ),
          ]
        : [],
      () => (e.found ? [modelLine(context, { [name]: e.found, ...(e.padding ? { padding: e.padding } : {}) })] : []),
    )(context),
});

/** Beyond these no convolution is found in networks. */
const MOST_STRIDE = 4;
const MOST_DILATION = 6;

/** Windows that lie further apart, or nearer, than the file says. */
export const strideWrong: Cause<'stride-wrong', 'product'> = {
  code: 'stride-wrong',
  kinds: ['product'],
  needs: [isConvolution],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) => (base.patches ? [] : base === study.declared ? otherStrides(study) : evenStrides(study)),

  words: otherSteps('stride', 'Windows lie further apart, or nearer, than the file says.'),
};

/** Taps that lie further apart, or nearer, than the file says. */
export const dilationWrong: Cause<'dilation-wrong', 'product'> = {
  code: 'dilation-wrong',
  kinds: ['product'],
  needs: [isConvolution],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) =>
    base.patches ? [] : base === study.declared ? otherDilations(study) : evenDilations(study),

  words: otherSteps('dilation', 'Taps lie further apart, or nearer, than the file says.'),
};

const otherStrides = madeOnce((study) => {
  const { window, output } = patchOf(study.declared);
  const axes = window.stride.map((own, axis) => (output[axis] === 1 ? [own] : othersOf(own, MOST_STRIDE)));
  return combinations(axes).flatMap((stride) => changes(study, 'stride-wrong', { stride }));
});

const otherDilations = madeOnce((study) => {
  const { window } = patchOf(study.declared);
  const axes = window.dilation.map((own, axis) => (window.kernel[axis] === 1 ? [own] : othersOf(own, MOST_DILATION)));
  return combinations(axes).flatMap((dilation) => [
    ...changes(study, 'dilation-wrong', { dilation }),
    ...centred(study, dilation),
  ]);
});

/** Beside another mistake the same along all axes: each pair of two dilations on each of a hundred bases is thousands. */
const evenStrides = madeOnce((study) => {
  const { output } = patchOf(study.declared);
  return otherStrides(study).filter(isEven((axis) => output[axis] > 1));
});

const evenDilations = madeOnce((study) => {
  const { window } = patchOf(study.declared);
  return otherDilations(study).filter(isEven((axis) => window.kernel[axis] > 1));
});

function isEven(mayMove: (axis: number) => boolean): (change: ProductChange) => boolean {
  return ({ found }) => new Set((found as OtherSteps).found!.filter((_, axis) => mayMove(axis))).size === 1;
}

function othersOf(own: number, most: number): number[] {
  const others = Array.from({ length: Math.max(most, own) }, (_, i) => i + 1).filter((other) => other !== own);
  return [own, ...others.sort((a, b) => Math.abs(a - own) - Math.abs(b - own))];
}

function changes(
  study: ProductStudy,
  cause: 'stride-wrong' | 'dilation-wrong',
  changed: Partial<Pick<Window, 'stride' | 'dilation' | 'padding'>>,
): ProductChange[] {
  const { window } = patchOf(study.declared);
  const [declared, found] = [window[FIELD[cause]], changed[FIELD[cause]]!];
  const padding = changed.padding && { padding: changed.padding };
  const label = `${found.join()}${padding ? ` padding ${padding.padding.join(' ')}` : ''}`;
  return [withWindow(study, changed, { cause, label, found: { declared, found, ...padding } })];
}

const FIELD = { 'stride-wrong': 'stride', 'dilation-wrong': 'dilation' } as const;

/** Padding that keeps the middle tap where it is: what "same" padding does with another dilation. */
function centred(study: ProductStudy, dilation: readonly number[]): ProductChange[] {
  const { window } = patchOf(study.declared);
  const moves = dilation.map((own, axis) => ((own - window.dilation[axis]) * (window.kernel[axis] - 1)) / 2);
  const padding = window.padding.map(([before, after], axis): [number, number] => [
    before + moves[axis],
    after + moves[axis],
  ]);
  if (padding.flat().some((own) => own < 0 || !Number.isInteger(own))) return [];
  return changes(study, 'dilation-wrong', { dilation, padding });
}
