/** Resizing in real numbers, and the other grids that it may have. */
import type { ResampleAttributes, Shares } from '../nouns/attributes.js';
import { type RealForm, realOf } from './realForm.js';
import { nearest } from './steps/interpolate.js';
import { areInexact, areOther, LINEAR, mixesInPasses, mixesOf } from './steps/resizeInFloat.js';

/** Two hundred codes, summed in float32 in any order. */
const SLACK = 2 ** -14;

const MODES = ['nearest', 'nearest-exact', 'bilinear'] as const;

/** In a file's words. */
function gridNamed({ mode, alignCorners, asymmetric, halfPixelCenters }: ResampleAttributes): string {
  if (halfPixelCenters !== undefined) return `${mode}, ${cornersNamed({ alignCorners, halfPixelCenters })}`;
  if (mode !== 'bilinear') return mode;
  return `bilinear, ${alignCorners ? 'align_corners' : asymmetric ? 'asymmetric: index * step' : 'half-pixel centres'}`;
}

/** Of integers by which neighbours are weighed: those of a byte, of OpenCV (11), TFLite (10), or of a shift by 16. */
const SHARES: readonly Shares[] = [4, 5, 6, 7, 8, 10, 11, 12, 14, 15, 16].flatMap((bits) => [
  { bits, cut: 'to nearest' },
  { bits, cut: 'down' },
]);

/** TFLite's three grids of either mode. */
const TFLITE_GRIDS = (['nearest', 'bilinear'] as const).flatMap((mode) => [
  { mode, alignCorners: false, halfPixelCenters: false },
  { mode, alignCorners: true, halfPixelCenters: false },
  { mode, alignCorners: false, halfPixelCenters: true },
]);

/** In TFLite's words. */
function cornersNamed({
  alignCorners,
  halfPixelCenters,
}: Pick<ResampleAttributes, 'alignCorners' | 'halfPixelCenters'>) {
  if (alignCorners) return 'align_corners';
  return halfPixelCenters ? 'half_pixel_centers' : 'neither align_corners nor half_pixel_centers';
}

function tfliteGrids(own: ResampleAttributes) {
  const isOther = (grid: (typeof TFLITE_GRIDS)[number]) =>
    grid.mode !== own.mode || grid.alignCorners !== own.alignCorners || grid.halfPixelCenters !== own.halfPixelCenters;
  return TFLITE_GRIDS.filter(isOther).map((grid) => ({
    rule: gridNamed({ ...own, ...grid }),
    attributes: { ...own, ...grid },
  }));
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
  slack: (attributes, { inputs: [from], output }) =>
    areInexact(attributes as ResampleAttributes, from, output) ? SLACK : 0,
  lines(call, first, round) {
    const mixes = mixesInPasses(call, realOf(call.inputs[0]), first, round);
    return (i) => mixes?.[i] ?? Number.NaN;
  },
  grids: (attributes) => gridsOf(attributes as ResampleAttributes),
  gridsInBits(attributes, { inputs: [from], output }) {
    const own = attributes as ResampleAttributes;
    const all = [{ attributes: own }, ...gridsOf(own)] as { rule?: string; attributes: ResampleAttributes }[];
    const mixed = all.filter((grid) => LINEAR.includes(grid.attributes.mode));
    return mixed.flatMap(({ rule, attributes: grid }) =>
      SHARES.flatMap((shares) => {
        const inBits = { ...grid, shares };
        const weights = `weights of ${shares.bits} bits${shares.cut === 'down' ? ', cut off' : ''}`;
        const said = rule === undefined ? weights : `${rule}, ${weights}`;
        return areOther(inBits, from, output) ? [{ rule: said, attributes: inBits, ofGrid: rule === undefined }] : [];
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
