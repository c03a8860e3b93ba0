import { besideValue, type Capture, type CapturedValue } from '../nouns/capture.js';
import type { Layer, Model } from '../nouns/model.js';
import { isQuantized, type Shape, type ValueParams } from '../nouns/value.js';
import { impliedShape } from '../ops/fields/shape.js';
import { rowOf, sizeOf } from '../tensor/shape.js';
import type { LayerRun, ReplaySession } from './session.js';
import { upTo } from './upTo.js';

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
  private readonly implied = new Map<string, Shape>();

  constructor(
    private readonly model: Model,
    private readonly capture: Capture,
  ) {
    this.layers = new Map(model.layers.map((layer) => [layer.name, layer]));
  }

  of(layer: Layer): Shape {
    const isKnown = ({ name }: Layer, reader: Layer) =>
      this.given(reader, name) !== undefined || this.implied.has(name);
    for (const one of this.capture.shapes.has(layer.name) ? [] : upTo(layer, this.layers, isKnown)) {
      const inputs = one.inputs.map((input) => this.given(one, input) ?? this.implied.get(input) ?? rowOf(0));
      this.implied.set(one.name, impliedShape(one, inputs, this.model.layout));
    }
    return this.capture.shapes.get(layer.name) ?? this.implied.get(layer.name)!;
  }

  private given(layer: Layer, input: string): Shape | undefined {
    const { values, shapes } = this.capture;
    const captured = besideValue(values, this.model, layer.name, 'input') ?? values.get(input);
    return shapes.get(input) ?? captured?.shape;
  }
}
