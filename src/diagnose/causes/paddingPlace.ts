import type { Window } from '../../nouns/window.js';
import { HOLE } from '../../tensor/patches.js';
import {
  bordersOf,
  combinations,
  hasDeclaredWindow,
  hasWindow,
  madeOnce,
  mapTaps,
  patchOf,
  readOtherwise,
  type WindowChange,
  type WindowStudy,
  windowOf,
  withWindow,
} from '../alternatives/geometry.js';
import type { Cause } from '../cause.js';
import type { Borders, SomeChannels } from '../finding/evidence.js';
import type { ProductChange } from '../setup.js';
import { isProductStudy, isTensorStudy, type ProductStudy } from '../study/study.js';
import { codeOf, inC, modelLine, numpy } from '../words/code.js';
import { field, parameterFix } from '../words/fixes.js';
import { axesText, bordersText, edgeText } from '../words/geometry.js';
import { fileOf } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'padding-place': SomeChannels &
      Borders & {
        /** [before, after] an axis, outermost first. */
        readonly declared?: readonly (readonly [number, number])[];
        readonly found?: readonly (readonly [number, number])[];
        readonly of?: 'pool';
        /** In place of these: a row or column of the image that is never read; axis 0 is the outermost. */
        readonly not_read?: { readonly axis: number; readonly side: 'first' | 'last' };
      };
  }
}

/** Padding on other sides than the file says, or the last row or column of the image taken for padding. */
export const paddingPlace: Cause<'padding-place', 'product' | 'tensor'> = {
  code: 'padding-place',
  kinds: ['product', 'tensor'],
  needs: [hasWindow],
  whose: 'model',
  parameterFree: true,

  estimate: (study, base) => (hasDeclaredWindow(study, base) ? otherPlaces(study) : []),

  evidence: ({ study }) => (isTensorStudy(study) ? { of: 'pool' } : bordersOf(study as WindowStudy)),

  words: {
    title: (e) => (e.not_read ? `${edgeText(e.not_read)} of the image is not read` : 'padding on other sides'),
    explanation: 'The window begins at another place of the image than the file says.',
    ofOneLayer: true,
    evidence: (e) => [
      e.declared && e.found ? `[before, after] of ${axesText(e.declared, e.found)}` : null,
      bordersText(e),
    ],
    fix: (e, context) =>
      parameterFix(
        (own) => `correct ${field(own, 'padding')} in ${fileOf(own)}`,
        e.declared?.every(([before, after]) => before === after)
          ? `pad as much before the image as after it: ${e.declared.map(([before]) => before).join(', ')}`
          : 'pad as the file says: uneven padding lies after the image in TFLite and ONNX (SAME_UPPER), before it where it says so',
      )(e, context),
    code: (e, context) =>
      codeOf(
        e.declared && e.of
          ? [
              inC(
                `iy = oy * STRIDE_Y + ky - ${(e.declared.at(-2) ?? e.declared[0])[0]}; ix = ox * STRIDE_X + kx - ${e.declared.at(-1)![0]};`,
              ),
            ]
          : e.declared
            ? [
                numpy(
                  `x = np.pad(x, ((0, 0), (0, 0), ${e.declared.map((ends) => `(${ends.join(', ')})`).join(', ')}), constant_values=x_zero_point)`,
                ),
              ]
            : [],
        () => (e.found ? [modelLine(context, { padding: e.found })] : []),
      )(context),
  },
};

type Padding = Window['padding'];

const otherPlaces = madeOnce((study: WindowStudy): WindowChange[] => [
  ...shifted(study),
  ...(isProductStudy(study) ? dropped(study) : []),
]);

/** As many rows and columns, distributed otherwise; those nearest to the declared ones first. */
function shifted(study: WindowStudy): WindowChange[] {
  const { window, input, output } = windowOf(study);
  const axes = window.padding.map(([before, after], axis) => {
    const reach = window.dilation[axis] * (window.kernel[axis] - 1);
    const most = Math.max(reach, before + after);
    // a window that begins late never reads the first places: no file says so
    const least = study.data.side === 'candidate' && before === 0 ? -1 : 0;
    const others = Array.from({ length: most + 1 - least }, (_, i) => i + least).filter((own) => own !== before);
    return [before, ...others.sort((a, b) => Math.abs(a - before) - Math.abs(b - before))];
  });
  const needed = (axis: number) =>
    (output[axis] - 1) * window.stride[axis] + window.dilation[axis] * (window.kernel[axis] - 1) + 1 - input[axis];
  return combinations(axes).map((list) => {
    const padding: Padding = list.map((before, axis) => {
      const [declared, after] = window.padding[axis];
      if (before === declared) return [declared, after];
      const total = window.transposed ? declared + after : Math.max(declared + after, needed(axis));
      return [before, Math.max(0, total - before)];
    });
    const found = { declared: window.padding, found: padding };
    return withWindow(study, { padding }, { cause: 'padding-place', label: padding.join(' '), found });
  });
}

const SIDES = ['first', 'last'] as const;

/** A row or column at the image's edge that is never read. */
function dropped(study: ProductStudy): ProductChange[] {
  const { input, taps } = patchOf(study.declared);
  return input.flatMap((size, axis) => {
    const below = input.slice(axis + 1).reduce((product, dim) => product * dim, 1);
    return SIDES.map((side) => {
      const edge = side === 'first' ? 0 : size - 1;
      return readOtherwise(study, {
        cause: 'padding-place',
        label: `${side} of axis ${axis}`,
        found: { not_read: { axis, side } },
        reading: () => ({
          taps: mapTaps(taps, (from) => (from !== HOLE && Math.floor(from / below) % size === edge ? HOLE : from)),
        }),
      });
    });
  });
}
