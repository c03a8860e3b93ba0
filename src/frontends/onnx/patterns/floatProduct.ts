/** Conv, ConvTranspose, Gemm and MatMul of floats by float weights: what a quantizer left as it was. Sums in any order, within a bound. */

import { FLOAT32, onnxDtype } from '../../../load/onnx/dtypes.js';
import type { ArraySource } from '../../../nouns/array.js';
import { float32s } from '../../../numeric/array.js';
import { f32 } from '../../../numeric/float.js';
import { sizeOf } from '../../../tensor/shape.js';
import { printable } from '../../../text.js';
import { type Behind, behind, dequantizedBias } from '../bias.js';
import type { Constant } from '../constants.js';
import { derived, permutedArray, reshaped } from '../derived.js';
import type { Context, Draft, Pattern } from '../draft.js';
import { type Folded, foldedConstants } from '../foldedConstants.js';
import { fusedActivation } from '../fusedActivation.js';
import { windowsOf } from '../geometry.js';
import { floatOf, type GraphNode, intOf, isOnnx } from '../graph.js';

const LINEAR_OPS = ['Gemm', 'MatMul', 'FusedMatMul'];

export const floatProduct: Pattern = { ops: ['Conv', 'ConvTranspose', ...LINEAR_OPS], match };

async function match(node: GraphNode, context: Context): Promise<Draft[] | null> {
  const { constants, typeOf, session } = context;
  const [x, w = ''] = node.inputs;
  const weight = constants.get(w) ?? constants.real(w);
  if (node.domain !== '' || typeOf(x) !== 'float32' || weight?.dtype !== onnxDtype(FLOAT32) || !weight.source)
    return null;
  const isLinear = isOnnx(node, ...LINEAR_OPS);
  if (isLinear ? weight.shape.length !== 2 : weight.shape.length < 3) return null;
  const around = await behind(node, context);
  const { bias, added, output } = session.captured.has(node.outputs[0]) ? apart(node, around) : around;
  const shape = isLinear ? LINEAR : windowsOf(node, weight.shape, context);
  const channels = channelsOf(node, weight);
  const folded = constants.get(w) ? await foldedConstants(node, weight.shape, context) : null;
  const own = folded ? foldedBias(node, folded, context) : bias && biasOf(node, bias, channels, context);
  const missing =
    !folded && !own && (node.inputs[2] ?? '') !== '' ? 'its bias is no constant number of each channel' : null;
  const end = folded?.tensor ?? output;
  const fused = await fusedActivation(node, end, context, added.length > 0);
  const { tensor, nodes, fields } = fused ?? { tensor: end, nodes: [], fields: { activation: 'none' } };
  const turned = isLinear ? TURNS.find((name) => intOf(node, name, 0) === 1) : undefined;
  const notReplayed = shape.unknown ?? missing ?? (turned && `${turned} is 1`) ?? fused?.unknown ?? undefined;
  return [
    {
      at: node,
      nodes: [node, ...added, ...(folded?.nodes ?? []), ...nodes],
      name: tensor,
      op: `${shape.op}_float`,
      inputs: [x],
      fields: {
        weight: context.arrays.add(`${w}.float`, weightsOf(node, weight, `${w}.float`, folded?.factors)),
        out_features: channels,
        bias: own,
        ...(isLinear ? {} : { kernel_size: weight.shape.slice(2) }),
        ...shape.fields,
        ...fields,
      },
      output: 'float32',
      arithmetic: 'float',
      because: becauseOf(node, context),
      notReplayed,
    },
  ];
}

function becauseOf({ inputs: [x, w] }: GraphNode, { graph, constants }: Context): string {
  if (constants.get(w)) return `its weights ${printable(w)} are floats`;
  const isDequantized = isOnnx(graph.makerOf(x), 'DequantizeLinear');
  return isDequantized ? 'no QuantizeLinear follows it' : 'it reads floats, which nothing dequantized for it';
}

/** A matrix that is turned before it is multiplied by weights. */
const TURNS = ['transA', 'transBatchA', 'transBatchB'];

const LINEAR = { op: 'linear', fields: {}, unknown: null };

/** A run that gave the product out did not take in the Add behind it. */
function apart(node: GraphNode, { bias, added }: Behind): Pick<Behind, 'bias' | 'added' | 'output'> {
  return { bias: added.length > 0 ? null : bias, added: [], output: node.outputs[0] };
}

function channelsOf(node: GraphNode, { shape }: Constant): number {
  if (isOnnx(node, 'Conv')) return shape[0];
  if (isOnnx(node, 'ConvTranspose')) return shape[1] * intOf(node, 'group', 1);
  return shape[hasRows(node) ? 0 : 1];
}

function hasRows(node: GraphNode): boolean {
  return isOnnx(node, 'Gemm', 'FusedMatMul') && intOf(node, 'transB', 0) === 1;
}

/** [out, in / groups, ...kernel], alpha among them. */
function weightsOf(
  node: GraphNode,
  { source, shape }: Constant,
  key: string,
  factors: Folded['factors'] = [],
): ArraySource {
  if (isOnnx(node, 'Conv')) return factors.length === 0 ? source! : multiplied(key, source!, factors);
  if (isOnnx(node, 'ConvTranspose')) {
    const [groups, kernel] = [intOf(node, 'group', 1), shape.slice(2)];
    const grouped = reshaped(key, source!, [groups, shape[0] / groups, shape[1], sizeOf(kernel)]);
    return permutedArray(key, grouped, [0, 2, 1, 3]);
  }
  const rows = hasRows(node) ? source! : permutedArray(key, source!, [1, 0]);
  const alpha = isOnnx(node, 'Gemm', 'FusedMatMul') ? floatOf(node, 'alpha', 1) : 1;
  return alpha === 1 ? rows : scaled(key, rows, alpha);
}

function multiplied(key: string, source: ArraySource, factors: Folded['factors']): ArraySource {
  const each = sizeOf(source.shape.slice(1));
  const by = (real: number, i: number) =>
    factors.reduce((own, factor) => f32(own * factor[Math.trunc(i / each)]), real);
  return derived(key, 'float32', source.shape, async () =>
    float32s(await source.read(), (real, i) => by(Number(real), i)),
  );
}

function foldedBias({ name }: GraphNode, { bias }: Folded, { arrays }: Context) {
  const key = `${name}.bias`;
  return (
    bias &&
    arrays.add(
      key,
      derived(key, 'float32', [bias.length], async () => bias),
    )
  );
}

function scaled(key: string, source: ArraySource, factor: number): ArraySource {
  return derived(key, 'float32', source.shape, async () =>
    float32s(await source.read(), (real) => f32(factor * Number(real))),
  );
}

/** A number a channel, beta among them; null: it is another matrix. */
function biasOf(node: GraphNode, bias: NonNullable<Behind['bias']>, channels: number, { arrays }: Context) {
  const { constant } = bias.q ? dequantizedBias(bias) : bias;
  const { source, shape, dtype } = constant;
  const count = sizeOf(shape);
  const isRow = count === channels && (shape.at(-1) === channels || count === 1);
  if (!source || dtype !== onnxDtype(FLOAT32) || !(isRow || count === 1)) return null;
  const beta = isOnnx(node, 'Gemm') ? floatOf(node, 'beta', 1) : 1;
  const key = `${bias.tensor}.float`;
  const spread = async () => {
    const own = await source.read();
    return float32s({ length: channels }, (_, n) => f32(beta * Number(own[count === 1 ? 0 : n])));
  };
  return arrays.add(key, derived(key, 'float32', [channels], spread));
}
