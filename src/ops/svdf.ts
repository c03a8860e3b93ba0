/** TFLite's SVDF on integers: each step's features, kept over the last steps, and weighed by time; it keeps them from call to call. */
import * as z from 'zod/mini';
import type { SvdfAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { printable } from '../text.js';
import { Constants } from './fields/constants.js';
import { layerFields, list, maybeSize, numbers, outputSchema, float32Scale as scale, size } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import type { Op, RawLayer, ReadLayer } from './op.js';

const integers = (description: string) => numbers(description, list('integer'));

const fields = () => ({
  ...layerFields,
  rank: size,
  batch: maybeSize,
  feature: integers('int8, [units * rank, inputs]'),
  feature_scale: scale,
  time: integers('of the type of the state, [units * rank, steps]'),
  time_scale: scale,
  bias: z.nullish(integers('int32, [units]')),
  filters: size,
  state: z.object({
    dtype: z.enum(['int8', 'int16']),
    scale,
    zero_point: z.int().check(z.minimum(-128), z.maximum(127)),
  }),
  output: outputSchema,
});
type Fields = z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>;

export const svdf: Op = {
  name: 'svdf',
  called: 'SVDF',
  schema: () => z.object(fields()),
  inputs: [1, 1],
  needs: ['rank', 'filters', 'feature', 'time', 'state', 'output'],
  reads: 'codes',
  channels: 'last',
  dims({ form, inputs: [{ name, shape }] }) {
    const { inputs, filters, rank } = (form as TensorForm).attributes as SvdfAttributes;
    const { dims } = shape;
    if (dims.at(-1) === inputs && dims.length <= 2) return [...dims.slice(0, -1), filters / rank];
    return `expected rows of ${inputs} values (its weights), got ${printable(name)} of shape ${dimsText(dims)}`;
  },
  read: readSvdf,
};

async function readSvdf(layer: RawLayer): Promise<ReadLayer | null> {
  if (!layer.fields || !layer.output) return null;
  const given = layer.fields as unknown as Fields;
  const { rank, filters, state } = given;
  const constants = new Constants(layer);
  const feature = await constants.add('feature', given.feature, 'int8', ['feature']);
  const time = await constants.add('time', given.time, state.dtype, ['time']);
  const bias = await constants.add('bias', given.bias, 'int32', ['bias']);
  if (feature === undefined || time === undefined || bias === undefined) return null;
  const [inputs, memory, units] = [feature! / filters, time! / filters, filters / rank];
  const fits = [inputs, memory, units].every((count) => Number.isInteger(count) && count > 0);
  if (!fits || (bias ?? units) !== units) {
    const got = `got ${feature}, ${time} and ${bias ?? 'no'} numbers of the bias`;
    const message = `expected ${filters} rows of features and of steps, ${rank} a unit (rank), ${got}`;
    layer.checks.problem('weight', [...layer.place, 'feature'], message);
    return null;
  }
  const attributes: SvdfAttributes = {
    ...(given.batch !== undefined && { batch: given.batch }), // what the calls have is no difference of two models
    inputs,
    filters,
    memory,
    rank,
    hasBias: bias !== null,
    featureScale: given.feature_scale,
    timeScale: given.time_scale,
    stateDtype: state.dtype,
    stateScale: state.scale,
    stateZeroPoint: state.zero_point,
  };
  const form: TensorForm = { ...tensorForm(attributes), arrays: () => constants.read(), keepsState: true };
  return { form, output: layer.output };
}
