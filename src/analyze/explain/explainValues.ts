/** One value of a layer that is computed from whole values (a sum of two, a pool), or only moved: what it read there, and what it gives. */
import type { ExplainColumn, ExplainDocument } from '../../documents/explain.js';
import { tensorSteps } from '../../kernels/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { featureAt } from '../../tensor/shape.js';
import { atOf, observed, type Place } from './place.js';

export async function explainValues(place: Place): Promise<ExplainDocument> {
  const { layer, run, sample, channel, causes } = place;
  const { captured, candidate } = await observed(place);
  const { ready, kernel } = run;
  const [input] = ready.inputs;
  const output = layer.output && isQuantized(layer.output) ? layer.output : null;
  const params = isQuantized(input) ? input : null;
  const at = atOf(place);
  const value = (await run.replay(sample, sample + 1)).data[featureAt(ready.shapes.output, place)];
  const equation = tensorSteps(kernel, layer.op)?.equation ?? 'the value of its input, moved';
  return {
    format: 'qdiff-explain',
    version: 1,
    layer: layer.name,
    op: layer.op,
    channel,
    sample,
    ...(at && { at }),
    captured,
    candidate,
    candidate_input_codes_differ: null,
    input: {
      name: layer.inputs[0],
      dtype: input.dtype,
      scale: params?.scale ?? null,
      zero_point: params?.zeroPoint ?? null,
      features: 1,
    },
    weight: null,
    output: { dtype: layer.output!.dtype, scale: output?.scale ?? null, zero_point: output?.zeroPoint ?? null },
    activation: 'none',
    products: [],
    columns: [
      {
        ...NOTHING,
        kernel: kernel.name,
        steps: [...(await readThere(place)), { name: layer.op, value }],
        value,
        explains: captured === null ? null : Object.is(value + 0, captured + 0),
      },
    ],
    first_difference: null,
    causes: [...causes],
    numpy: [`# no numpy form of ${layer.op}: ${equation}`],
  };
}

/** Of inputs that have the output's shape: their values at the same place. */
async function readThere({ run, sample, channel, position, layer }: Place) {
  const { inputs, output } = run.ready.shapes;
  const steps: { name: string; value: number }[] = [];
  for (const [i, shape] of inputs.entries()) {
    if (shape.dims.join() !== output.dims.join()) continue;
    const values = await run.inputs[i].read(sample, sample + 1);
    steps.push({ name: layer.inputs[i], value: values[featureAt(shape, { channel, position })] });
  }
  return steps;
}

const NOTHING: Omit<ExplainColumn, 'kernel' | 'steps' | 'value' | 'explains'> = {
  accumulator: null,
  saturating_pairs: [],
  bias: null,
  bias_accumulator_units: null,
  bias_is_int32: false,
  multiplier: null,
  multiplier_bits: null,
  multiplier_fixed: null,
  fixed_point: false,
  before_rounding: null,
  distance_to_tie: null,
  rounded: null,
  zero_point: null,
  clamp: null,
  clamped: false,
};
