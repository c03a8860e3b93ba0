/** Integers that a graph computes from shapes: what Reshape, Slice and Expand are given. */
import { sizeOf } from '../../tensor/shape.js';
import { allKnown, type Dims, dimsOf, type From, isDeclared, type ShapeValue, sayDims } from './dims.js';
import type { Context } from './draft.js';
import { attribute, type GraphNode, intOf, intsOf, isOnnx } from './graph.js';

/** Longer than any chain that computes a shape. */
const DEEPEST = 64;

/** Numbers of an integer tensor; null where it is none that follows from shapes and constants. */
export async function shapeValues(tensor: string, context: From, depth = 0): Promise<ShapeValue[] | null> {
  const { graph, constants } = context;
  const constant = constants.get(tensor);
  if (constant) return constant.source && isShort(constant.shape) ? Array.from(await constants.numbers(tensor)) : null;
  const node = graph.makerOf(tensor);
  if (node?.domain !== '' || depth > DEEPEST) return null;
  const of = (i: number) => shapeValues(node.inputs[i] ?? '', context, depth + 1);
  switch (node.opType) {
    case 'Shape':
      return shapeOf(node, context);
    case 'Identity':
    case 'Cast':
    case 'Unsqueeze':
    case 'Squeeze':
      return of(0);
    case 'Concat': {
      const parts = await Promise.all(node.inputs.map((_, i) => of(i)));
      return parts.some((part) => part === null) ? null : parts.flatMap((part) => part!);
    }
    case 'Gather': {
      const [from, at] = await Promise.all([of(0), of(1)]);
      return from && at ? at.map((i) => (i === null ? null : (from.at(i) ?? null))) : null;
    }
    case 'Slice':
      return slicedValues(node, context, await of(0), depth);
    default:
      return computed(node, await of(0), await of(1));
  }
}

/** Dims of what Reshape gives, where the file does not declare them: its shape is read first. */
export async function sayReshaped(from: From): Promise<void> {
  for (const node of from.graph.nodes) {
    const [x, shape = ''] = node.inputs;
    if (!isOnnx(node, 'Reshape') || isDeclared(node.outputs[0], from)) continue;
    const [before, size] = [dimsOf(x, from), await shapeValues(shape, from)];
    if (size) sayDims(node.outputs[0], reshapedDims(before, size), from);
  }
}

function reshapedDims(before: Dims | null, size: Dims): Dims {
  const copied = size.map((dim, axis) => (dim === 0 ? (before?.[axis] ?? null) : dim));
  const own = copied.filter((dim) => dim !== -1);
  const isKnown = allKnown(before) && allKnown(own) && sizeOf(own) > 0;
  const left = isKnown ? sizeOf(before) / sizeOf(own) : null;
  return copied.map((dim) => (dim === -1 ? left : dim));
}

/** More axes than any tensor has. */
function isShort(shape: readonly number[]): boolean {
  return shape.length <= 1 && sizeOf(shape) <= 64;
}

function shapeOf(node: GraphNode, context: From): ShapeValue[] | null {
  const dims = dimsOf(node.inputs[0], context);
  return dims ? dims.slice(intOf(node, 'start', 0), attribute(node, 'end')?.i ?? undefined) : null;
}

async function slicedValues(node: GraphNode, context: From, from: ShapeValue[] | null, depth: number) {
  const bound = async (i: number, name: string) =>
    (node.inputs[i] ? await shapeValues(node.inputs[i], context, depth + 1) : intsOf(node, name))?.[0] ?? null;
  const [start, end] = [await bound(1, 'starts'), await bound(2, 'ends')];
  return from && start !== null && end !== null && !node.inputs[4] ? from.slice(start, end) : null;
}

const ARITHMETIC: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ['Add', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Div', (a, b) => Math.trunc(a / b)],
]);

function computed({ opType }: GraphNode, a: ShapeValue[] | null, b: ShapeValue[] | null): ShapeValue[] | null {
  const apply = ARITHMETIC.get(opType);
  if (!apply || a?.length !== 1 || b?.length !== 1) return null;
  return a[0] === null || b[0] === null ? [null] : [apply(a[0], b[0])];
}

/** Whether a constant operand has a number for each sample: as many axes as what it is computed with, and the first is longer than 1. */
export function runsAlongSamples(tensors: readonly string[], context: Context): boolean {
  const ranks = tensors.map((tensor) => dimsOf(tensor, context)?.length ?? 0);
  const rank = Math.max(...ranks);
  return tensors.some((tensor) => {
    const shape = context.constants.get(tensor)?.shape ?? [];
    return shape.length === rank && rank > 1 && ranks.filter((own) => own === rank).length > 1 && shape[0] > 1;
  });
}
