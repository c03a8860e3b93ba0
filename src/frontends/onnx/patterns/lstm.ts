/** DynamicQuantizeLSTM, which ONNX Runtime's quantize_dynamic makes of an LSTM: a layer for each value that it gives. */
import { listed } from '../../../text.js';
import type { Constant } from '../constants.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { attribute, floatOf, type GraphNode, intOf, isMicrosoft, isOnnx } from '../graph.js';
import { oneOrList } from '../quantization.js';
import { isFirst, placeOf } from '../samples.js';

export const lstm: Pattern = { ops: ['DynamicQuantizeLSTM'], match };

const GIVES = ['steps', 'hidden', 'cell'] as const;
const MOVES = [
  'Expand',
  'Tile',
  'Identity',
  'Slice',
  'Split',
  'Reshape',
  'Squeeze',
  'Unsqueeze',
  'Transpose',
  'Gather',
];
const USUAL = ['Sigmoid', 'Tanh', 'Tanh'];

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  if (!isMicrosoft(node, 'DynamicQuantizeLSTM')) return null;
  const { graph } = context;
  const states = await statesOf(node, context);
  const found = await fieldsOf(node, context);
  const why = typeof found === 'string' ? found : typeof states === 'string' ? states : placesOf(node, states, context);
  const isAsked = (name: string) => name !== '' && (graph.isOutput(name) || graph.readersOf(name).length > 0);
  const [x] = node.inputs;
  const timeMajor = isFirst(placeOf(x, context.asRun));
  return node.outputs.slice(0, GIVES.length).flatMap((name, i): Draft[] => {
    if (!isAsked(name)) return [];
    const ofAllSteps =
      timeMajor && i > 0 ? 'what its last step leaves is of no sample, as the samples are its steps' : null;
    const notReplayed = why ?? ofAllSteps;
    return [
      {
        at: node,
        nodes: [node],
        name,
        op: 'lstm_dynamic',
        inputs: [x, ...(typeof states === 'string' ? [] : states)],
        fields: typeof found === 'string' ? {} : { ...found, gives: GIVES[i], time_major: timeMajor },
        output: 'float32',
        arithmetic: 'integers',
        because: 'the file says so: its sums are those of integers',
        ...(notReplayed === null ? {} : { notReplayed }),
      },
    ];
  });
}

/** The states that it is given; none where they are zeros. A string: why not. */
async function statesOf(node: GraphNode, context: Context): Promise<readonly string[] | string> {
  const given = [node.inputs[5] ?? '', node.inputs[6] ?? ''];
  const zeros = await Promise.all(given.map((name) => areZeros(name, context)));
  if (zeros.every((are) => are)) return [];
  if (zeros.some((are) => are)) return 'it is given one of its two states';
  const isConstant = given.some((name) => context.constants.get(name));
  if (isConstant) return 'it begins with a constant state';
  return given.every((name) => context.typeOf(name) === 'float32') ? given : 'the type of its states is not known';
}

/** Left out, constant zeros, or zeros of a shape that the graph computes. */
async function areZeros(tensor: string, { constants, graph }: Context): Promise<boolean> {
  let name = tensor;
  for (let maker = graph.makerOf(name); isOnnx(maker, ...MOVES); maker = graph.makerOf(name)) [name] = maker.inputs;
  if (name === '') return true;
  const constant = constants.get(name);
  if (constant)
    return constant.source !== null && (await constants.numbers(name)).every((value: number) => value === 0);
  const maker = graph.makerOf(name);
  if (!isOnnx(maker, 'ConstantOfShape')) return false;
  return !attribute(maker, 'value') || (await constants.attributeNumbers(maker, 'value'))?.[0] === 0;
}

/** Why its values are not where it expects them, or null. */
function placesOf({ inputs: [x] }: GraphNode, states: readonly string[], { asRun, typeOf }: Context): string | null {
  if (typeOf(x) !== 'float32') return 'the type of what it reads is not known';
  const isBeside = (name: string) => {
    const { axis, outer, inner } = placeOf(name, asRun);
    return axis === 1 && outer * inner === 1;
  };
  if (!isFirst(placeOf(x, asRun)) && !isBeside(x)) return 'its sequences are not the second axis of what it reads';
  return states.length === 0 || [x, ...states].every(isBeside)
    ? null
    : 'the sequences of the states that it is given are not their second axis';
}

/** A string: why it is not replayed. */
async function fieldsOf(node: GraphNode, context: Context): Promise<Record<string, unknown> | string> {
  const activations = attribute(node, 'activations')?.strings ?? [];
  if (activations.some((name, i) => name.toLowerCase() !== USUAL[i % 3].toLowerCase()))
    return `its activations are ${listed(activations, 6)}`;
  if (intOf(node, 'layout', 0) !== 0) return 'its layout is 1';
  const cells = intOf(node, 'hidden_size', 0);
  if (cells < 1) return 'its hidden_size is no number of cells';
  const [, w, r, b = '', lengths = '', , , p = ''] = node.inputs;
  if (lengths !== '') return 'its sequences have lengths of their own';
  const weight = await weights(w, node.inputs.slice(8, 10), context);
  const recurrent = await weights(r, node.inputs.slice(10, 12), context);
  const [bias, peephole] = [floats(b, context), floats(p, context)];
  if (!weight || !recurrent || bias === undefined || peephole === undefined)
    return 'its weights are no constants of the file';
  const clip = floatOf(node, 'clip', 0);
  return {
    weight,
    recurrent,
    bias,
    peephole,
    cells,
    direction: attribute(node, 'direction')?.s ?? 'forward',
    clip: clip > 0 ? clip : null,
    input_forget: intOf(node, 'input_forget', 0) !== 0,
  };
}

async function weights(
  tensor: string,
  [scale = '', zeroPoint = '']: readonly string[],
  { constants, arrays }: Context,
) {
  const codes = constants.get(tensor);
  const known = [tensor, scale, zeroPoint].every((name) => constants.get(name)?.source);
  if (!codes || !known || !['int8', 'uint8'].includes(codes.dtype.name)) return null;
  return {
    codes: arrays.constant(tensor, codes),
    dtype: codes.dtype.name,
    scale: oneOrList([...(await constants.numbers(scale))]),
    zero_point: oneOrList([...(await constants.numbers(zeroPoint))]),
  };
}

/** Null: it has none; undefined: it is no constant. */
function floats(tensor: string, { constants, arrays }: Context): { array: string } | null | undefined {
  if (tensor === '') return null;
  const constant: Constant | null = constants.get(tensor);
  return (constant?.dtype.name === 'float32' && arrays.constant(tensor, constant)) || undefined;
}
