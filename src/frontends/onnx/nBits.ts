/** MatMulNBits: what ONNX Runtime makes of a product of constant codes with anything but codes of 8 bits. */
import { printable } from '../../text.js';
import type { Context, Draft } from './draft.js';
import { type GraphNode, intOf, isMicrosoft, isOnnx } from './graph.js';
import { QUANTIZES_AGAIN } from './hazards.js';
import type { Operand, Tail } from './operand.js';
import { isRedundant } from './quantization.js';

/** Why it quantizes its activations again; null: it does not, or is none. */
export function quantizesAgain(node: GraphNode, x: Operand, tail: Tail, { session }: Context): string | null {
  const columns = isOnnx(node, 'MatMul') || (isOnnx(node, 'Gemm') && intOf(node, 'transB', 0) === 0);
  if (!columns || !session.quantizesAgain || session.unfused) return null;
  if (x.kind === 'codes') {
    const { name } = x.q.dtype;
    if (['uint8', 'int8'].includes(name) || keepsActivation(tail)) return null;
    return `${printable(x.tensor)} has ${name} codes: ${RUNS_AS}`;
  }
  return x.kind === 'float' && tail.q === null ? `${printable(x.tensor)} is float: ${RUNS_AS}` : null;
}

const RUNS_AS = 'ONNX Runtime runs it as MatMulNBits, which quantizes the activations again, to int8 in blocks';

/** A Relu before codes makes it a float product. */
function keepsActivation({ q, clamp }: Tail): boolean {
  return q !== null && clamp !== null && !isRedundant(q, clamp.lower, clamp.upper);
}

/** Of float activations: nothing of it is replayed. */
export function ofFloats(node: GraphNode, x: Operand, because: string): Draft {
  const common = { at: node, nodes: [node], name: node.outputs[0], op: 'linear', inputs: [x.tensor] };
  return { ...common, output: 'float32', because, notReplayed: because, hazards: [QUANTIZES_AGAIN] };
}

/** A node that says so itself: accuracy_level 4 is int8. */
export function saysItself(node: GraphNode): Pick<Draft, 'hazards'> {
  const again = isMicrosoft(node, 'MatMulNBits') && intOf(node, 'accuracy_level', 0) === 4;
  return again ? { hazards: [QUANTIZES_AGAIN] } : {};
}
