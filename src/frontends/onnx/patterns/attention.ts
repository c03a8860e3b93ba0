/** QAttention: of codes of the file's scale, or of those that DynamicQuantizeLinear makes of floats. */

import { dimsOf } from '../dims.js';
import type { Context, Draft, Pattern, Read } from '../draft.js';
import { attribute, floatOf, type GraphNode, intOf, isMicrosoft, isOnnx } from '../graph.js';
import { oneOrList, quantizationOf } from '../quantization.js';
import { isFirst, placeOf } from '../samples.js';
import { EMBED_NORMS } from './embedNorm.js';

export const attention: Pattern = { ops: ['QAttention'], match };

/** Where a mask hides a key, unless the file says otherwise. */
const FILTER = -10000;

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (!isMicrosoft(node, 'QAttention')) return null;
  const x = await inputOf(node, context);
  const [name, ...others] = node.outputs;
  const mask = maskOf(node, context);
  const found = await fieldsOf(node, context);
  const isPlain = isFirst(placeOf(node.inputs[0], context.asRun));
  const why =
    (typeof x === 'string' ? x : null) ??
    (typeof mask === 'string' ? mask : null) ??
    (typeof found === 'string' ? found : null) ??
    ((node.inputs[8] ?? '') !== '' || others.some((other) => other !== '')
      ? 'it goes on from past keys and values'
      : null) ??
    (isPlain ? null : "the samples' axis is not the first of what it reads");
  const known = typeof x === 'string' ? { inputs: [] } : x;
  return [
    {
      at: node,
      nodes: [node],
      name,
      op: 'q_attention',
      ...known,
      inputs: [...known.inputs, ...(typeof mask === 'string' ? [] : mask.inputs)],
      fields: typeof found === 'string' || typeof mask === 'string' ? {} : { ...found, ...mask.fields },
      output: 'float32',
      arithmetic: 'integers',
      because: 'the file says so: its sums are those of integers',
      ...(why ? { notReplayed: why } : {}),
    },
    ...others
      .filter((other) => other !== '')
      .map(
        (other): Draft => ({
          at: node,
          nodes: [node],
          name: other,
          op: 'q_attention',
          inputs: [],
          output: null,
          notReplayed: 'it is no value of a sample',
        }),
      ),
  ];
}

/** What it reads, and as what; a string: why that is not known. */
async function inputOf(
  { inputs }: GraphNode,
  context: Context,
): Promise<{ inputs: readonly string[]; reads?: readonly Read[] } | string> {
  const [codes, , , scale = '', , , zeroPoint = ''] = inputs;
  const { constants, graph, typeOf } = context;
  if (constants.get(scale)) {
    const q = await quantizationOf(constants, scale, zeroPoint, {});
    return q ? { inputs: [codes], reads: [{ tensor: codes, q }] } : 'the scale of what it reads is not known';
  }
  const quantize = graph.makerOf(codes);
  const isDynamic =
    isOnnx(quantize, 'DynamicQuantizeLinear') && quantize.outputs[1] === scale && quantize.outputs[2] === zeroPoint;
  if (!isDynamic) return 'the scale of what it reads is computed';
  const [floats] = quantize.inputs;
  return typeOf(floats) === 'float32' ? { inputs: [floats] } : 'the type of what it reads is not known';
}

interface Mask {
  readonly inputs: readonly string[];
  /** model.json's: 1 where a place is seen, or as many ones as are. */
  readonly fields: { readonly mask?: 'places' | 'ones' };
}

/** A string: why what it hides is not known. */
function maskOf({ inputs }: GraphNode, { asRun, constants, graph, typeOf }: Context): Mask | string {
  const mask = inputs[5] ?? '';
  if (mask === '') return { inputs: [], fields: {} };
  if (constants.get(mask)) return 'its mask is constant';
  const maker = graph.makerOf(mask);
  const counted = isMicrosoft(maker, ...EMBED_NORMS) && maker.outputs[1] === mask ? (maker.inputs[7] ?? '') : '';
  if (counted !== '' && !constants.get(counted)) return { inputs: [counted], fields: { mask: 'ones' } };
  const rank = dimsOf(mask, asRun)?.length;
  if (rank !== 2) return rank === undefined ? 'the shape of its mask is not known' : 'its mask is no number a place';
  const type = typeOf(mask);
  const isKnown = type !== null && type !== 'float32';
  return isKnown ? { inputs: [mask], fields: { mask: 'places' } } : 'the type of its mask is not known';
}

/** A string: why it is not replayed. */
async function fieldsOf(node: GraphNode, { constants, arrays }: Context): Promise<Record<string, unknown> | string> {
  const [, w = '', b = '', , scale = '', , , zeroPoint = ''] = node.inputs;
  const [codes, bias] = [constants.get(w), constants.get(b)];
  const areKnown = [codes, bias, constants.get(scale)].every((own) => own?.source);
  if (
    !areKnown ||
    codes!.shape.length !== 2 ||
    bias!.dtype.name !== 'float32' ||
    !['int8', 'uint8'].includes(codes!.dtype.name)
  )
    return 'its weights are no constants of the file';
  if (zeroPoint !== '' && !constants.get(zeroPoint)?.source) return 'the zero points of its weights are computed';
  const heads = intOf(node, 'num_heads', 0);
  const columns = codes!.shape[1];
  if (heads < 1 || columns % (3 * heads) !== 0) return 'its num_heads is no number of heads';
  if (intOf(node, 'do_rotary', 0) === 1) return 'it turns what it multiplies (do_rotary)';
  const given = attribute(node, 'scale')?.f ?? 0;
  const filter = floatOf(node, 'mask_filter_value', FILTER);
  if (![given, filter].every(Number.isFinite)) return 'its scale or mask_filter_value is no finite number';
  const scores = given === 0 ? Math.fround(1 / Math.fround(Math.sqrt(columns / 3 / heads))) : given;
  return {
    weight: {
      codes: arrays.constant(w, codes!),
      dtype: codes!.dtype.name,
      scale: oneOrList([...(await constants.numbers(scale))]),
      zero_point: zeroPoint === '' ? 0 : oneOrList([...(await constants.numbers(zeroPoint))]),
    },
    bias: arrays.constant(b, bias!),
    heads,
    is_causal: intOf(node, 'unidirectional', 0) === 1,
    scale: scores,
    mask_filter_value: filter,
  };
}
