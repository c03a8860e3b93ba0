/** Fields of layers that look through a window: convolutions and pools. */
import * as z from 'zod/mini';
import type { Window } from '../../nouns/window.js';
import { windowDims } from '../../tensor/patches.js';
import { dimsText } from '../../tensor/shape.js';
import type { RawLayer } from '../op.js';

const whole = z.int('expected a whole number from 0 on').check(z.nonnegative('expected a whole number from 0 on'));
const positive = z.int('expected a whole number from 1 on').check(z.positive('expected a whole number from 1 on'));
const EXPECTED_PADDING = 'expected a whole number from 0 on, or one a dimension, or [before, after] a dimension';

/** A number of groups, or of times. */
export const factor = positive;

/** A number for all dimensions, or one a dimension. */
export const perPlace = z.union([positive, z.array(positive)], 'expected a whole number from 1 on, or one a dimension');
const each = z.optional(perPlace);

/** Of a transposed window, added at the end of the output. */
export const outputPadding = z.optional(
  z.union([whole, z.array(whole)], 'expected a whole number from 0 on, or one a dimension'),
);

export const windowFields = {
  stride: each,
  padding: z.optional(z.union([whole, z.array(z.union([whole, z.tuple([whole, whole])]))], EXPECTED_PADDING)),
  dilation: each,
};

type Fields = Partial<z.infer<z.ZodMiniObject<typeof windowFields>>> & { output_padding?: number | number[] };

/** kernel: null where it is not known, after a problem. Null after a problem. */
export function readWindow(layer: RawLayer, kernel: readonly number[] | null, transposed: boolean): Window | null {
  if (!layer.fields || !kernel) return null;
  const fields = layer.fields as Fields;
  const stride = perAxis(layer, 'stride', fields.stride ?? 1, kernel.length);
  const dilation = perAxis(layer, 'dilation', fields.dilation ?? 1, kernel.length);
  const ends = perAxis<Padding>(layer, 'padding', fields.padding ?? 0, kernel.length);
  const extra = transposed ? perAxis(layer, 'output_padding', fields.output_padding ?? 0, kernel.length) : [];
  if (!stride || !dilation || !ends || !extra) return null;
  const padding = ends.map((end) => (typeof end === 'number' ? ([end, end] as const) : end));
  const window: Window = { kernel, stride, padding, dilation, transposed: transposed ? extra : null };
  return checkPadding(layer, window) && checkAdded(layer, window) ? window : null;
}

type Padding = number | [before: number, after: number];

function perAxis<T>(layer: RawLayer, field: string, value: T | T[], axes: number): readonly T[] | null {
  if (!Array.isArray(value)) return new Array<T>(axes).fill(value);
  if (value.length === axes) return value;
  if (value.length === 1) return new Array<T>(axes).fill(value[0]);
  const got = `got ${value.length}`;
  layer.checks.problem(
    field,
    [...layer.place, field],
    `expected ${axes} values, one a dimension of the kernel, ${got}`,
  );
  return null;
}

/** A window that lies in the padding as a whole sees nothing of the input. */
function checkPadding({ place, checks }: RawLayer, { kernel, dilation, padding }: Window): boolean {
  const wrong = padding.findIndex((ends, axis) => Math.max(...ends) > dilation[axis] * (kernel[axis] - 1) + 1);
  if (wrong < 0) return true;
  const reach = dilation[wrong] * (kernel[wrong] - 1) + 1;
  const expected = `expected at most ${reach}, what the kernel covers of dimension ${wrong}`;
  checks.problem('padding', [...place, 'padding'], `${expected}, got ${Math.max(...padding[wrong])}`);
  return false;
}

/** What is added at the end of a transposed output would be seen by no window of the convolution that it undoes. */
function checkAdded({ place, checks }: RawLayer, { stride, dilation, transposed }: Window): boolean {
  const wrong = transposed?.findIndex((added, axis) => added >= Math.max(stride[axis], dilation[axis])) ?? -1;
  if (wrong < 0) return true;
  const most = Math.max(stride[wrong], dilation[wrong]) - 1;
  const expected = `expected at most ${most}, less than stride or dilation of dimension ${wrong}`;
  checks.problem('output_padding', [...place, 'output_padding'], `${expected}, got ${transposed![wrong]}`);
  return false;
}

export function doesNotFit({ kernel, dilation, padding }: Window, places: readonly number[], given: string): string {
  const reach = kernel.map((size, axis) => dilation[axis] * (size - 1) + 1);
  const padded = places.map((size, axis) => size + padding[axis][0] + padding[axis][1]);
  return `expected a kernel that fits the padded input ${dimsText(padded)}, got one that reaches ${dimsText(reach)} (${given})`;
}

/** The fields with which a window has another number of places: `padding 0 or dilation 2 would fit`; null without. */
export function whatFits(window: Window, input: readonly number[], places: readonly number[]): string | null {
  const { kernel, stride, padding, dilation, transposed } = window;
  const reach = Math.max(...kernel.map((size, axis) => dilation[axis] * (size - 1) + 1));
  const even = upTo(reach).map((end) => [end, end] as const);
  const uneven = upTo(reach - 1).flatMap((end) => [[end, end + 1] as const, [end + 1, end] as const]);
  const strides = upTo(Math.max(4, reach)).slice(1);

  /** Of each axis what the file says, if that gives its places, else the first that does. */
  const changed = <T>(name: string, own: readonly T[], choices: readonly T[], as: (all: readonly T[]) => Window) => {
    const tried = [own, ...choices.map((choice) => own.map(() => choice))];
    const sizes = tried.map((all) => windowDims(as(all), input));
    const found = own.map((_, axis) => sizes.findIndex((dims) => dims[axis] === places[axis]));
    return found.includes(-1) ? [] : [`${name} ${fieldText(found.map((at, axis) => tried[at][axis]))}`];
  };
  const fits = [
    ...changed('padding', padding, [...even, ...uneven], (all) => ({ ...window, padding: all })),
    ...changed('stride', stride, strides, (all) => ({ ...window, stride: all })),
    ...changed('dilation', dilation, upTo(4).slice(1), (all) => ({ ...window, dilation: all })),
  ];
  if (transposed) {
    for (const own of [null, ...strides]) {
      const as = { ...window, stride: own === null ? stride : stride.map(() => own) };
      const added = upTo(Math.max(...as.stride, ...dilation) - 1).slice(1);
      const name = own === null ? 'output_padding' : `stride ${own} with output_padding`;
      fits.push(...changed(name, transposed, added, (all) => ({ ...as, transposed: all })));
      if (fits.length > 0) break;
    }
  }
  return fits.length > 0 ? `${fits.join(' or ')} would fit` : null;
}

function upTo(most: number): number[] {
  return Array.from({ length: most + 1 }, (_, i) => i);
}

/** As model.json has it: one number where all are alike. */
function fieldText(values: readonly unknown[]): string {
  const each = values.map((value) => JSON.stringify(Array.isArray(value) && value[0] === value[1] ? value[0] : value));
  const text = each.every((value) => value === each[0]) && !each[0].startsWith('[') ? each[0] : `[${each.join(', ')}]`;
  return text.replace(/,(?! )/g, ', ');
}
