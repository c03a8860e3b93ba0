/** The loop nest of a convolution in C: one output's patch and its weights, tap by tap, the group's channels fastest. */
import type { GoldenLayer } from '../../analyze/golden.js';
import { leavesHolesOut } from '../../kernels/steps/accumulate.js';
import { isQuantized, type Shape, type ValueParams } from '../../nouns/value.js';
import type { PlacedPatch, Window } from '../../nouns/window.js';
import { positionDims, sizeOf } from '../../tensor/shape.js';

const AXES = ['z', 'y', 'x'];

/** The axes' letters, outermost first: y, x of an image. */
function axesOf({ kernel }: Window): string[] {
  return AXES.slice(-kernel.length);
}

/** Indices of a value in its layout: [channel][y][x] or [y][x][channel]. */
function indexed({ channelAxis }: Shape, channel: string, places: readonly string[]): string {
  const indices = channelAxis === 0 ? [channel, ...places] : [...places, channel];
  return indices.map((index) => `[${index}]`).join('');
}

function dimsOf({ dims }: Shape): string {
  return dims.map((dim) => `[${dim}]`).join('');
}

/** Of a second value: its code `a` is one of them. */
function isCodes(addend: ValueParams | undefined): boolean {
  return addend !== undefined && isQuantized(addend);
}

/** Parameters of the function, and what makes x and w [IN_FEATURES], and `hole` where sums leave padding out. */
export function patchLines({ product, shapes, steps }: GoldenLayer, id: string): { head: string; lines: string[] } {
  const { input, patch, weightDtype, addend } = product;
  const { window, groups, inChannels, outChannels } = patch!;
  const axes = axesOf(window);
  const at = axes.map((axis) => `int o${axis}`).join(', ');
  const features = `${id.toUpperCase()}_IN_FEATURES`;
  const hasHole = leavesHolesOut(steps.accumulate, product);
  const loops = axes.map(
    (axis, i) => `${'  '.repeat(i + 1)}for (int k${axis} = 0; k${axis} < ${window.kernel[i]}; k${axis}++)`,
  );
  const inner = '  '.repeat(axes.length + 2);
  const channel = groups === 1 ? 'c' : `n / ${outChannels} * ${inChannels} + c`;
  const body = [
    `const int ${axes.map((axis, i) => `i${axis} = ${placeText(window, i, axis)}`).join(', ')};`,
    `const int inside = ${axes.map((axis, i) => insideText(window, i, axis, shapes.inputs[0])).join(' && ')};`,
    `x[k] = inside ? image${indexed(shapes.inputs[0], channel, placesOf(window))} : ${input.zeroPoint};  /* or the zero point */`,
    `w[k] = ${id}_weight${weightIndex(patch!, channel)};`,
    ...(hasHole ? ['hole[k] = !inside;'] : []),
  ];
  return {
    head: `const ${input.dtype}_t image${dimsOf(shapes.inputs[0])}, ${isCodes(addend) ? 'int64_t a, ' : ''}int n, ${at}`,
    lines: [
      `  ${input.dtype}_t x[${features}];`,
      `  ${weightDtype ?? 'int8'}_t w[${features}];`,
      ...(hasHole ? [`  uint8_t hole[${features}];`] : []),
      '  int k = 0;',
      ...loops,
      `${'  '.repeat(axes.length + 1)}for (int c = 0; c < ${inChannels}; c++, k++) {`,
      ...body.map((line) => `${inner}${line}`),
      `${'  '.repeat(axes.length + 1)}}`,
    ],
  };
}

/** Which place of the input a tap reads; of a transposed one, of the input spread by the stride. */
function placeText({ stride, padding, dilation, transposed }: Window, i: number, axis: string): string {
  const [before] = padding[i];
  const tap = `k${axis}${dilation[i] === 1 ? '' : ` * ${dilation[i]}`}`;
  if (transposed) return `o${axis}${signed(before)} - ${tap}`;
  return `o${axis}${stride[i] === 1 ? '' : ` * ${stride[i]}`} + ${tap}${signed(-before)}`;
}

function signed(number: number): string {
  if (number === 0) return '';
  return number < 0 ? ` - ${-number}` : ` + ${number}`;
}

function placesOf({ stride, transposed, ...window }: Window): string[] {
  return axesOf({ stride, transposed, ...window }).map((axis, i) =>
    transposed && stride[i] > 1 ? `i${axis} / ${stride[i]}` : `i${axis}`,
  );
}

function insideText(window: Window, i: number, axis: string, shape: Shape): string {
  const size = positionDims(shape)[i];
  const stride = window.transposed ? window.stride[i] : 1;
  const divides = stride > 1 ? ` && i${axis} % ${stride} == 0` : '';
  return `i${axis} >= 0 && i${axis} < ${size * stride}${divides}`;
}

function weightIndex({ window, groups, outChannels }: PlacedPatch, channel: string): string {
  const taps = axesOf(window)
    .map((axis) => `[k${axis}]`)
    .join('');
  const own = groups === 1 ? 'n' : `n % ${outChannels}`;
  return window.transposed ? `[${channel}][${own}]${taps}` : `[n][c]${taps}`;
}

/** Compares every output of every sample. */
export function positionLoops({ product, shapes, samples }: GoldenLayer, id: string): string[] {
  const { window, output } = product.patch!;
  const added = isCodes(product.addend)
    ? [
        `${id}_input_1[sample]${indexed(
          shapes.inputs[1],
          'n',
          axesOf(window).map((axis) => `o${axis}`),
        )}`,
      ]
    : [];
  const axes = axesOf(window);
  const places = axes.map((axis) => `o${axis}`);
  const bounds: [string, number | string][] = [
    ['sample', `${id.toUpperCase()}_SAMPLES`],
    ['n', `${id.toUpperCase()}_OUT_FEATURES`],
    ...places.map((place, i): [string, number] => [place, output[i]]),
  ];
  const loops = bounds.map(
    ([name, bound], i) => `${'  '.repeat(i + 1)}for (int ${name} = 0; ${name} < ${bound}; ${name}++)`,
  );
  const inner = '  '.repeat(bounds.length + 1);
  const total = samples * sizeOf(shapes.output.dims);
  return [
    ...loops,
    `${inner}if (${id}_compute(${[`${id}_input[sample]`, ...added, 'n', ...places].join(', ')}) != ${id}_output[sample]${indexed(shapes.output, 'n', places)}) differ++;`,
    `  printf("${id}: %ld of %ld values differ\\n", differ, ${total}L);`,
  ];
}
