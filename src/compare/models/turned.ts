/** Values that lie otherwise than their graph's layout: before its first transposition, or behind one back. */
import { isElementwise, isLayout, isTensor, type Layer, type LayoutForm, type Model } from '../../nouns/model.js';
import type { Layout } from '../../nouns/value.js';

/** How the value of a name lies. */
export function layoutsOf(model: Model): (name: string) => Layout {
  if (model.layout === 'NCHW') return () => 'NCHW';
  const turned = new Set(model.inputs.flatMap(({ name }) => (isTurnedFirst(model, name) ? [name] : [])));
  for (const layer of model.layers) {
    const wasTurned = turned.has(layer.inputs[0]);
    const turns = isLayout(layer) && turnTo(layer.form, wasTurned ? 'NHWC' : 'NCHW');
    const isAsRead = isLayout(layer) || isElementwise(layer) || isTensor(layer);
    if (isAsRead && wasTurned !== turns) turned.add(layer.name);
  }
  return (name) => (turned.has(name) ? 'NCHW' : 'NHWC');
}

/** Nothing reads it but transpositions to the graph's layout. */
function isTurnedFirst({ layers }: Model, input: string): boolean {
  const reading = layers.filter(({ inputs }) => inputs.includes(input));
  return reading.length > 0 && reading.every((layer) => isLayout(layer) && turnTo(layer.form, 'NHWC'));
}

/** Sizes that tell axes apart: channels, places. */
const IMAGE = [2, 3, 5];

/** Whether it only takes an image from one layout to the other. */
export function turnsImages(layer: Layer): boolean {
  return isLayout(layer) && (turnTo(layer.form, 'NHWC') || turnTo(layer.form, 'NCHW'));
}

function turnTo(form: LayoutForm, layout: Layout): boolean {
  const [channels, ...places] = IMAGE;
  const dims = layout === 'NHWC' ? IMAGE : [...places, channels];
  const wanted = layout === 'NHWC' ? [...places, channels] : IMAGE;
  const shape = { dims, channelAxis: 0 };
  const made = form.dims(shape);
  if (typeof made === 'string' || made.length !== 3 || made.some((size, axis) => size !== wanted[axis])) return false;
  return form.moves(shape) !== null;
}
