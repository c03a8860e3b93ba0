/** The shape of what a layer computes, from those of what it reads. */
import type { Layer } from '../../nouns/model.js';
import type { Layout, Shape } from '../../nouns/value.js';
import { channelAxisOf } from '../../tensor/shape.js';
import { opByName } from '../named.js';
import type { Op } from '../op.js';

/** A string where the inputs do not fit: `expected ..., got ...; what to do`. Null: no form, or unknown inputs. */
export function impliedDims(
  layer: Layer,
  shapes: readonly (Shape | undefined)[],
  layout: Layout,
): readonly number[] | string | null {
  const op = opByName(layer.op);
  if (!op || !layer.form || !shapes.every((shape) => shape !== undefined)) return null;
  const inputs = layer.inputs.map((name, i) => ({ name, shape: shapes[i] }));
  return op.dims ? op.dims({ form: layer.form, inputs, layout }) : inputs[0].shape.dims;
}

export function readsByLayout({ op, form }: Layer): boolean {
  return form !== null && form.kind !== 'layout' && opByName(op)?.channels === 'layout';
}

/** A window's input has its channels where the layout says, whatever made it. */
export function asRead<S extends Shape | undefined>(layer: Layer, shapes: readonly S[], layout: Layout): readonly S[] {
  const [first, ...others] = shapes;
  if (!first || !readsByLayout(layer)) return shapes;
  return [{ ...first, channelAxis: layout === 'NCHW' ? 0 : first.dims.length - 1 }, ...others];
}

/** Of what a layer computes. Throws where its inputs do not fit or nothing is known of it: validation said so before. */
export function impliedShape(layer: Layer, inputs: readonly Shape[], layout: Layout): Shape {
  const dims = impliedDims(layer, inputs, layout);
  if (dims === null || typeof dims === 'string') throw new Error(`no shape of ${layer.name}: ${dims}`);
  return shapeWith(dims, opByName(layer.op)!.channels, inputs[0], layout);
}

/** channels: as the op that makes the value says, or the one that reads it. */
export function shapeWith(
  dims: readonly number[],
  channels: Op['channels'] | null,
  input: Shape | undefined,
  layout: Layout,
): Shape {
  const last = Math.max(0, dims.length - 1);
  const byRank = channelAxisOf(dims, layout);
  const implied = { input: input?.channelAxis ?? byRank, last, layout: layout === 'NCHW' ? 0 : last };
  const channelAxis = channels ? implied[channels] : byRank;
  return { dims, channelAxis: channelAxis <= last ? channelAxis : byRank };
}
