/** ONNX Runtime's own operators that add what they read before they compute: a residual and a bias to be normalized, a bias before gelu. */
import type { Context, Draft, Pattern, SharedFields } from '../draft.js';
import { floatsNamed, ON_FLOATS } from '../floatsNamed.js';
import { attribute, type GraphNode, isMicrosoft, said } from '../graph.js';
import { runsAlongSamples } from '../samples.js';
import { sharedFields } from '../shared.js';

interface Summed {
  readonly op: string;
  /** The operator of ONNX that computes with the sum. */
  readonly computes: string;
  /** Where it finds what it adds, and the numbers of the other. */
  readonly added: readonly number[];
  readonly numbers: readonly number[];
}

const OPS = new Map<string, Summed>([
  [
    'SkipLayerNormalization',
    { op: 'skip_layer_norm', computes: 'LayerNormalization', added: [0, 1, 4], numbers: [2, 3] },
  ],
  [
    'SkipSimplifiedLayerNormalization',
    { op: 'skip_rms_norm', computes: 'SimplifiedLayerNormalization', added: [0, 1, 3], numbers: [2] },
  ],
  ['BiasGelu', { op: 'bias_gelu', computes: 'Gelu', added: [0, 1], numbers: [] }],
  ['FastGelu', { op: 'bias_gelu', computes: 'Gelu', added: [0, 1], numbers: [] }],
]);

export const summedFirst: Pattern = { ops: [...OPS.keys()], match };

/** Of a norm; what ONNX has for its own is another. */
const EPSILON = Math.fround(1e-12);
/** Its output that gives the sum itself. */
const SUM = 3;

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const own = OPS.get(node.opType);
  if (!own || !isMicrosoft(node, node.opType)) return null;
  const added = own.added.map((place) => node.inputs[place] ?? '').filter((tensor) => tensor !== '');
  const inputs = floatsNamed({ inputs: added, outputs: node.outputs }, context);
  if (!inputs || inputs.length < 2 || runsAlongSamples(added, node.outputs[0], context.asRun)) return null;
  const { fields, unknown } = await computedWith(node, own, context);
  const common = { at: node, nodes: [node], output: 'float32', ...ON_FLOATS } as const;
  const result = { ...common, name: node.outputs[0], op: own.op, inputs, fields };
  return [
    unknown ? { ...result, notReplayed: unknown } : result,
    ...sumOf(node, inputs).map((draft) => ({ ...common, ...draft })),
  ];
}

/** As if the operator read the sum. */
function computedWith(node: GraphNode, { computes, numbers }: Summed, context: Context): Promise<SharedFields> {
  const before =
    computes.endsWith('Normalization') && !attribute(node, 'epsilon') ? [said('epsilon', { f: EPSILON })] : [];
  const byTanh = node.opType === 'FastGelu' ? [said('approximate', { s: 'tanh' })] : [];
  const inputs = [node.inputs[0], ...numbers.map((place) => node.inputs[place] ?? '')];
  const attributes = [...node.attributes, ...before, ...byTanh];
  return sharedFields({ ...node, domain: '', opType: computes, inputs, attributes }, context);
}

/** What the next block adds to. */
function sumOf(
  { opType, outputs }: GraphNode,
  inputs: readonly string[],
): Pick<Draft, 'name' | 'op' | 'inputs' | 'notReplayed'>[] {
  const name = opType.startsWith('Skip') ? (outputs[SUM] ?? '') : '';
  if (name === '') return [];
  return [
    {
      name,
      op: 'add',
      inputs: inputs.slice(0, 2),
      ...(inputs.length > 2 ? { notReplayed: 'it is the sum of three values' } : {}),
    },
  ];
}
