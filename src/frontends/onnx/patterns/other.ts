/** Everything else: a layer each, by name, that is replayed only where its op is one of model.json's on floats. */
import type { Context, Draft, Pattern } from '../draft.js';
import { type GraphNode, isOnnx } from '../graph.js';
import { sharedFields } from '../shared.js';
import { opName } from '../words.js';

export const other: Pattern = { ops: null, match };

/** On floats they are what model.json's ops of those names are. */
const REPLAYED = ['Relu', 'Clip', 'Identity'];

/** Their one output has the type of their first input. */
const KEEPS_FLOAT =
  /^(Conv|ConvTranspose|Gemm|MatMul|Add|Sub|Mul|Div|Max|Min|Relu|Clip|Identity|.*Pool|Sigmoid|Tanh|.*Softmax|Reshape|Flatten|Transpose|Squeeze|Unsqueeze|Slice|Concat|.*Normalization|HardSigmoid|HardSwish|LeakyRelu|Elu|Gelu|Erf|Sqrt|Pow|Exp|Neg|Abs|PRelu|Pad|Resize|Dropout|Expand|Gather|Split|Tile|Reduce(Mean|Max|Min|Sum))$/;

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const { constants } = context;
  const [first = ''] = node.inputs;
  const inputs = node.inputs.filter((input) => input !== '' && !constants.get(input));
  const type = context.typeOf(first);
  const { op, fields, unknown } =
    node.domain === '' ? await sharedFields(node, context) : { op: opName(node), fields: {}, unknown: null };
  const notReplayed = unknown ?? whyNot(node, type);
  const keeps = isOnnx(node, node.opType) && KEEPS_FLOAT.test(node.opType) && type === 'float32';
  return node.outputs.flatMap((name, i): Draft[] => {
    if (name === '') return [];
    const output = context.typeOf(name) ?? (keeps && i === 0 ? 'float32' : null);
    return [{ at: node, nodes: [node], name, op, inputs, fields, output, ...(notReplayed ? { notReplayed } : {}) }];
  });
}

function whyNot(node: GraphNode, type: Draft['output']): string | null {
  if (isOnnx(node, ...REPLAYED)) return type === 'float32' ? null : 'the type of what it reads is not known';
  const name = node.domain === '' ? node.opType : `${node.domain}.${node.opType}`;
  if (node.attributes.some(({ graph }) => graph)) return `${name} holds a graph of its own, which is not entered`;
  return node.domain === '' ? `${name} runs in float, outside the quantized part` : `${name} is not replayed`;
}
