/** Resizing in real numbers, and the other grids that it may have. */
import type { ResampleAttributes, Shares } from '../nouns/attributes.js';
import { type RealForm, realOf } from './realForm.js';
import { nearest } from './steps/interpolate.js';
import { areOther, LINEAR, mixesInPasses, mixesOf } from './steps/resizeInFloat.js';

const MODES = ['nearest', 'nearest-exact', 'bilinear'] as const;

/** In a file's words. */
function gridNamed({ mode, alignCorners, asymmetric }: ResampleAttributes): string {
  if (mode !== 'bilinear') return mode;
  return `bilinear, ${alignCorners ? 'align_corners' : asymmetric ? 'asymmetric: index * step' : 'half-pixel centres'}`;
}

/** Of integers by which neighbours are weighed: those of a byte, of OpenCV (11), TFLite (10), or of a shift by 16. */
const SHARES: readonly Shares[] = [4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16].flatMap((bits) => [
  { bits, cut: 'to nearest' },
  { bits, cut: 'down' },
]);

/** TFLite's three grids of either mode, in its words. */
const TFLITE_GRIDS = (['nearest', 'bilinear'] as const).flatMap((mode) =>
  ['', ', align_corners', ', half_pixel_centers'].map((corners) => ({
    rule: `${mode}${corners || ', neither align_corners nor half_pixel_centers'}`,
    mode,
    alignCorners: corners === ', align_corners',
    halfPixelCenters: corners === ', half_pixel_centers',
  })),
);

function tfliteGrids(own: ResampleAttributes) {
  const isOther = (grid: (typeof TFLITE_GRIDS)[number]) =>
    grid.mode !== own.mode || grid.alignCorners !== own.alignCorners || grid.halfPixelCenters !== own.halfPixelCenters;
  return TFLITE_GRIDS.filter(isOther).map(({ rule, ...grid }) => ({ rule, attributes: { ...own, ...grid } }));
}

export const interpolate: RealForm = {
  is: 'mix',
  picks: (attributes) => (attributes as ResampleAttributes).mode.startsWith('nearest'),
  value(call) {
    const { mode } = call.attributes as ResampleAttributes;
    const real = realOf(call.inputs[0]);
    if (LINEAR.includes(mode)) return mixesOf(call, real);
    if (mode !== 'nearest') return () => Number.NaN; // not written down
    const codes = nearest(call);
    return (i) => real(codes[i]);
  },
  lines(call, first, round) {
    const mixes = mixesInPasses(call, realOf(call.inputs[0]), first, round);
    return (i) => mixes?.[i] ?? Number.NaN;
  },
  grids: (attributes) => gridsOf(attributes as ResampleAttributes),
  gridsInBits(attributes, { inputs: [from], output }) {
    const own = attributes as ResampleAttributes;
    const all = [{ rule: gridNamed(own), attributes: own }, ...gridsOf(own)];
    const mixed = all.filter((grid) => LINEAR.includes(grid.attributes.mode));
    return mixed.flatMap(({ rule, attributes: grid }) =>
      SHARES.flatMap((shares) => {
        const inBits = { ...grid, shares };
        const said = `${rule}, weights of ${shares.bits} bits${shares.cut === 'down' ? ', cut off' : ''}`;
        return areOther(inBits, from, output) ? [{ rule: said, attributes: inBits }] : [];
      }),
    );
  },
};

function gridsOf(own: ResampleAttributes) {
  if (own.halfPixelCenters !== undefined) return tfliteGrids(own);
  const rules = MODES.flatMap((mode) => [
    { ...own, mode, alignCorners: false, asymmetric: false },
    ...(mode === 'bilinear'
      ? [
          { ...own, mode, alignCorners: true, asymmetric: false },
          { ...own, mode, alignCorners: false, asymmetric: true },
        ]
      : []),
  ]);
  return rules
    .filter((rule) => gridNamed(rule) !== gridNamed(own))
    .map((rule) => ({ rule: gridNamed(rule), attributes: rule }));
}
