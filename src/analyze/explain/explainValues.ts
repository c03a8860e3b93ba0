/** One value of a layer that is computed from whole values (a sum of two, a pool), or only moved: what it read there, and what it gives. */
import type { ExplainDocument } from '../../documents/explain.js';
import { tensorSteps } from '../../kernels/kernel.js';
import { featureAt } from '../../tensor/shape.js';
import { atOf, observed, type Place } from './place.js';
import { described, plainColumn, plainDocument } from './plain.js';

export async function explainValues(place: Place): Promise<ExplainDocument> {
  const { layer, run, sample, channel, causes } = place;
  const { captured, candidate } = await observed(place);
  const { ready, kernel } = run;
  const { data, low, high } = await run.replay(sample, sample + 1);
  const feature = featureAt(ready.shapes.output, place);
  const value = data[feature];
  const isInside = low && high && captured !== null && captured >= low[feature] && captured <= high[feature];
  const column = plainColumn({ kernel: kernel.name, steps: [], value }, captured);
  const equation = tensorSteps(kernel, layer)?.equation ?? 'the value of its input, moved';
  const operands = await readThere(place);
  const steps = [...operands.map(({ name, value }) => ({ name, value })), { name: layer.op, value }];
  return plainDocument({
    layer,
    input: ready.input,
    sample,
    channel,
    at: atOf(place),
    captured,
    candidate,
    columns: [isInside ? { ...column, steps, explains: true } : { ...column, steps }],
    firstDifference: null,
    causes,
    operands,
    numpy: [`# no numpy form of ${layer.op}: ${equation}`],
  });
}

/** Of inputs that have the output's shape: their values at the same place. */
async function readThere({ run, sample, channel, position, layer }: Place) {
  const { inputs, output } = run.ready.shapes;
  const operands: NonNullable<ExplainDocument['operands']> = [];
  const feature = featureAt(output, { channel, position }); // an input's channels may lie along another axis
  for (const [i, shape] of inputs.entries()) {
    if (shape.dims.join() !== output.dims.join()) continue;
    const values = await run.inputs[i].read(sample, sample + 1);
    operands.push({ name: layer.inputs[i], ...described(run.ready.inputs[i]), value: values[feature] });
  }
  return operands;
}
