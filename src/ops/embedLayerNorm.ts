/** ONNX Runtime's EmbedLayerNormalization, of floats or of codes: rows of tables by word, place and segment, added and normalized. */
import * as z from 'zod/mini';
import type { EmbedNormAttributes } from '../nouns/attributes.js';
import type { TensorForm } from '../nouns/model.js';
import { dimsText } from '../tensor/shape.js';
import { affineFields, affineOf } from './fields/affine.js';
import { Constants } from './fields/constants.js';
import { expectInput, shapedText } from './fields/inputs.js';
import { float32Scale, floatOutput, integer, layerFields, list, numbers, size } from './fields/schema.js';
import { tensorForm } from './fields/tensor.js';
import { FLOAT } from './fields/valueParams.js';
import type { Op, RawLayer, ReadLayer, ShapedLayer } from './op.js';

const table = z.object({
  rows: numbers('codes or float32, [rows, features]', list('number')),
  dtype: z.enum(['int8', 'uint8', 'float32']),
  scale: z.optional(float32Scale),
  zero_point: z.optional(integer),
});

const fields = () => ({
  ...layerFields,
  ...affineFields,
  word: table,
  place: table,
  segment: z.optional(table),
  features: size,
  output: floatOutput(),
});
type Fields = z.infer<z.ZodMiniObject<ReturnType<typeof fields>>>;

export const embedLayerNorm: Op = {
  name: 'embed_layer_norm',
  called: 'layer_norm of embeddings',
  schema: () => z.object(fields()),
  inputs: [1, 2],
  needs: ['word', 'place', 'features'],
  channels: 'last',
  dims: dimsOf,
  read,
};

function dimsOf({ form, inputs }: ShapedLayer): readonly number[] | string {
  const { features, places, tables } = (form as TensorForm).attributes as EmbedNormAttributes;
  const [words, segments] = inputs.map(({ shape }) => shape.dims);
  if (words.length !== 1 || words[0] > places)
    return `expected at most ${places} words a sample (the rows of place), got ${shapedText(inputs[0])}`;
  if (segments && segments.join() !== words.join())
    return `expected a segment a word, ${dimsText(words)}, got ${shapedText(inputs[1])}`;
  if (!segments && tables.length > 2) return 'expected segments as a second input beside their table, got none';
  return [words[0], features];
}

const NAMES = ['word', 'place', 'segment'] as const;

async function read(layer: RawLayer): Promise<ReadLayer | null> {
  expectInput(layer, ['int32'], 'words are int32 with scale 1 and zero_point 0');
  if (!layer.fields) return null;
  const given = layer.fields as unknown as Fields;
  const constants = new Constants(layer);
  const affine = await affineOf(layer);
  const wrong = (field: string, message: string) => {
    layer.checks.problem(field, [...layer.place, ...field.split('.')], message);
    return null;
  };
  const counts: number[] = [];
  for (const name of NAMES) {
    const own = given[name];
    if (!own) continue;
    const count = await constants.add(name, own.rows, own.dtype, [name, 'rows']);
    if (!count) return null;
    if (count % given.features !== 0)
      return wrong(`${name}.rows`, `expected a multiple of ${given.features} numbers (features), got ${count}`);
    if ((own.scale === undefined) !== (own.dtype === 'float32'))
      return wrong(`${name}.scale`, `expected ${own.dtype === 'float32' ? 'none beside float32' : 'one beside codes'}`);
    counts.push(count / given.features);
  }
  if (!affine) return null;
  for (const field of ['weight', 'bias'] as const)
    if ((affine[field]?.length ?? given.features) !== given.features)
      return wrong(field, `expected ${given.features} numbers (features), got ${affine[field]!.length}`);
  const tables = NAMES.flatMap((name) => {
    const own = given[name];
    return own ? [{ name, scale: own.scale ?? null, zeroPoint: own.zero_point ?? 0 }] : [];
  });
  const attributes: EmbedNormAttributes = {
    ...affine,
    dims: [given.features],
    features: given.features,
    places: counts[1],
    tables,
  };
  return { form: { ...tensorForm(attributes), arrays: () => constants.read() }, output: FLOAT };
}
