/** torch.nn.functional.interpolate: images and volumes of another size. */

import * as z from 'zod/mini';
import type { ResampleAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { floor } from '../numeric/round.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { ownOrKept } from './fields/elementwise.js';
import { keptOutput, layerFields } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, ShapedLayer } from './op.js';

const EXPECTED_SIZE = 'expected a whole number from 1 on, or one a dimension';
const EXPECTED_FACTOR = 'expected a number above 0, or one a dimension';
const modes = ['nearest', 'nearest-exact', 'linear', 'bilinear', 'bicubic', 'trilinear', 'area'] as const;

/** More places than any image has. */
const MOST = 1 << 16;

function fields() {
  const size = z.int(EXPECTED_SIZE).check(z.positive(EXPECTED_SIZE));
  const factor = z.number(EXPECTED_FACTOR).check(z.positive(EXPECTED_FACTOR));
  return {
    size: z.optional(z.nullable(z.union([size, z.array(size)], EXPECTED_SIZE))),
    scale_factor: z.optional(z.nullable(z.union([factor, z.array(factor)], EXPECTED_FACTOR))),
    mode: z.optional(z.enum(modes)),
    align_corners: z.optional(z.nullable(z.boolean())),
    recompute_scale_factor: z.optional(z.nullable(z.boolean())),
    /** TFLite's. */
    half_pixel_centers: z.optional(z.boolean()),
  };
}
type Fields = Partial<z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>>;

export const interpolate: Op = {
  name: 'interpolate',
  schema: () => z.object({ ...layerFields, ...fields(), output: keptOutput() }),
  inputs: [1, 1],
  reads: 'codes',
  beyond: (field) =>
    [field('size'), field('scale_factor')].some((given) => given != null) ? null : 'without size or scale_factor',
  channels: 'layout',
  dims: resampledDims,
  read(layer) {
    const output = ownOrKept(layer);
    if (!layer.fields || !output) return null;
    const given = layer.fields as Fields;
    if (given.size != null && given.scale_factor != null) {
      layer.checks.problem('scale_factor', [...layer.place, 'scale_factor'], 'expected size or scale_factor, got both');
      return null;
    }
    return { form: tensorForm(attributesOf(given)), output };
  },
};

function attributesOf({
  size,
  scale_factor,
  mode,
  align_corners,
  recompute_scale_factor,
  half_pixel_centers: halfPixelCenters,
}: Fields): ResampleAttributes {
  const listed = (given: number | number[] | null | undefined) => (given == null ? null : [given].flat());
  return {
    mode: mode ?? 'nearest',
    alignCorners: align_corners ?? false,
    size: listed(size),
    scaleFactor: listed(scale_factor),
    recomputed: recompute_scale_factor ?? false,
    ...(halfPixelCenters === undefined ? {} : { halfPixelCenters }),
  };
}

function resampledDims({ form, inputs: [{ name, shape }], layout }: ShapedLayer): readonly number[] | string {
  const { size, scaleFactor } = (form as TensorForm).attributes as ResampleAttributes;
  const axis = layout === 'NCHW' ? 0 : shape.dims.length - 1;
  const places = shape.dims.filter((_, i) => i !== axis);
  const given = (size ?? scaleFactor)!;
  const got = `got ${printable(name)} of shape ${dimsText(shape.dims)}`;
  if (places.length === 0) return `expected an input with places besides its channels, ${got}`;
  if (given.length !== 1 && given.length !== places.length) {
    return `expected ${size ? 'size' : 'scale_factor'} to have one number, or ${places.length}, got ${given.length}`;
  }
  const of = (i: number) => given[given.length === 1 ? 0 : i];
  const output = places.map((before, i) => (size ? of(i) : floor(before * of(i))));
  if (output.some((after) => after < 1 || after > MOST))
    return `expected an output of 1 to ${MOST} places an axis, got ${dimsText(output)}`;
  output.splice(axis, 0, shape.dims[axis]);
  return output;
}
