import type { Capture, CapturedValue } from '../nouns/capture.js';
import type { Layer, Model } from '../nouns/model.js';
import { isQuantized, type Shape, type ValueParams } from '../nouns/value.js';
import { impliedShape } from '../ops/fields/shape.js';
import { rowOf, sizeOf } from '../tensor/shape.js';
import type { LayerRun, ReplaySession } from './session.js';

/**
 * The capture with what a session computes in place of the layers' captured outputs: what an implementation is held against
 * where no framework ran. Values are computed when they are read.
 */
export function replayedCapture(model: Model, capture: Capture, session: ReplaySession): Capture {
  const shapes = new Shapes(model, capture);
  const opened = new LastOpened(session);
  const replayed = model.layers
    .filter((layer) => session.whyNotReplayed(layer) === null)
    .map((layer) => [layer.name, replayedValue(layer, capture, shapes.of(layer), opened)] as const);
  const kept = [...capture.values].filter(([key]) => !key.endsWith('.accumulator'));
  return { ...capture, values: new Map([...kept, ...replayed]) };
}

function replayedValue(layer: Layer, { samples }: Capture, shape: Shape, opened: LastOpened): CapturedValue {
  return {
    samples,
    shape,
    features: sizeOf(shape.dims),
    dtype: dtypeOf(layer.output),
    read: async (from, to) => (await (await opened.run(layer)).replay(from, to)).data,
  };
}

function dtypeOf(output: ValueParams | null): CapturedValue['dtype'] {
  return output && isQuantized(output) ? output.dtype : 'float32';
}

/** Weights of one layer at a time stay in memory. */
class LastOpened {
  private last: { readonly layer: Layer; readonly run: Promise<LayerRun> } | null = null;

  constructor(private readonly session: ReplaySession) {}

  run(layer: Layer): Promise<LayerRun> {
    if (this.last?.layer !== layer) this.last = { layer, run: this.session.open(layer) };
    return this.last.run;
  }
}

/** Shapes of a sample, as they follow from what is captured and the layers in between. */
class Shapes {
  private readonly layers: ReadonlyMap<string, Layer>;

  constructor(
    private readonly model: Model,
    private readonly capture: Capture,
  ) {
    this.layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  }

  of(layer: Layer): Shape {
    const known = this.capture.shapes.get(layer.name);
    if (known) return known;
    const inputs = layer.inputs.map((input) => this.read(layer, input));
    return impliedShape(layer, inputs, this.model.layout);
  }

  private read(layer: Layer, input: string): Shape {
    const { values, shapes } = this.capture;
    const captured = values.get(`${layer.name}.input`) ?? values.get(input);
    const producer = this.layers.get(input);
    return shapes.get(input) ?? captured?.shape ?? (producer ? this.of(producer) : rowOf(0));
  }
}
