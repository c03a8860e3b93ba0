/** EmbedLayerNormalization and, of codes, QEmbedLayerNormalization: a transformer's words, places and segments. */
import { float32s } from '../../../numeric/array.js';
import { f32 } from '../../../numeric/float.js';
import { derived } from '../derived.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { floatOf, type GraphNode, isMicrosoft } from '../graph.js';

/** Their second output counts the ones of their eighth input. */
export const EMBED_NORMS = ['EmbedLayerNormalization', 'QEmbedLayerNormalization'];

export const embedNorm: Pattern = { ops: EMBED_NORMS, match };

const TABLES = { word: 2, place: 3, segment: 4 } as const;
const AFFINE = { weight: 5, bias: 6 } as const;
/** Behind its first inputs, one a table and one a number of the norm. */
const SCALES = 6;
const ZERO_POINTS = 11;
/** Of the two without codes. */
const PLACES = 8;
const EPSILON = Math.fround(1e-12);

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (!isMicrosoft(node, ...EMBED_NORMS)) return null;
  const [words, segments = ''] = node.inputs;
  const fields = await fieldsOf(node, context);
  const isGiven = node.opType === 'EmbedLayerNormalization' && (node.inputs[PLACES] ?? '') !== '';
  const constant = [words, segments].some((name) => context.constants.get(name))
    ? 'its words or segments are constant'
    : null;
  const why = constant ?? (isGiven ? 'it is given the places' : typeof fields === 'string' ? fields : null);
  const common = { at: node, nodes: [node] };
  return node.outputs.flatMap((name, i): Draft[] => {
    if (name === '') return [];
    if (i > 0)
      return [{ ...common, name, op: 'embed_layer_norm', inputs: [], output: null, notReplayed: OTHERS[i - 1] }];
    const inputs = [words, segments].filter((own) => own !== '');
    const known = typeof fields === 'string' ? {} : fields;
    const arithmetic = { arithmetic: 'integers', because: 'the file says so: it reads indices' } as const;
    const draft = {
      ...common,
      name,
      op: 'embed_layer_norm',
      inputs,
      fields: known,
      output: 'float32',
      ...arithmetic,
    } as const;
    return [why ? { ...draft, notReplayed: why } : draft];
  });
}

const OTHERS = ['it counts the ones of its mask', 'it is the sum before the norm'];

/** A string: why it is not replayed. */
async function fieldsOf(node: GraphNode, context: Context): Promise<Record<string, unknown> | string> {
  const tables = Object.entries(TABLES).filter(([, place]) => (node.inputs[place] ?? '') !== '');
  const own: [string, unknown][] = [];
  for (const [name, place] of tables) {
    const table = await tableOf(node, place, context);
    if (!table) return 'its tables are no constants of the file';
    own.push([name, table]);
  }
  for (const [name, place] of Object.entries(AFFINE)) {
    const numbers = await numbersOf(node, place, context);
    if (!numbers) return 'its numbers are no constants of the file';
    own.push([name, numbers]);
  }
  const features = context.constants.get(node.inputs[TABLES.word])!.shape[1];
  return { ...Object.fromEntries(own), features, eps: floatOf(node, 'epsilon', EPSILON) };
}

async function tableOf(node: GraphNode, place: number, { constants, arrays }: Context): Promise<object | null> {
  const tensor = node.inputs[place];
  const table = constants.get(tensor);
  if (table?.shape.length !== 2 || !table.source) return null;
  const dtype = table.dtype.name;
  const rows = arrays.constant(tensor, table);
  if (node.opType === 'EmbedLayerNormalization') return dtype === 'float32' ? { rows, dtype } : null;
  const params = ['int8', 'uint8'].includes(dtype) ? await paramsOf(node, place, constants) : null;
  return params && { rows, dtype, ...params };
}

async function paramsOf({ inputs }: GraphNode, place: number, constants: Context['constants']) {
  const [scales, zeroPoints] = [inputs[place + SCALES] ?? '', inputs[place + ZERO_POINTS] ?? ''];
  if (![scales, zeroPoints].every((name) => constants.get(name)?.source)) return null;
  const [[scale], [zero_point]] = [await constants.numbers(scales), await constants.numbers(zeroPoints)];
  return { scale, zero_point };
}

/** Of the norm; of codes as the reals that it makes of them. */
async function numbersOf(node: GraphNode, place: number, { constants, arrays }: Context): Promise<object | null> {
  const tensor = node.inputs[place] ?? '';
  const constant = constants.get(tensor);
  if (!constant?.source) return null;
  if (node.opType === 'EmbedLayerNormalization')
    return constant.dtype.name === 'float32' ? arrays.constant(tensor, constant) : null;
  const { source, shape } = constant;
  const params = await paramsOf(node, place, constants);
  if (!params) return null;
  const { scale, zero_point } = params;
  const real = (code: number) => f32(f32(code - zero_point) * scale);
  const key = `${tensor}.reals`;
  return arrays.add(
    key,
    derived(key, 'float32', shape, async () => float32s((await source.read()) as ArrayLike<number>, real)),
  );
}
