/** Integers that a graph computes from shapes: what Reshape, Slice and Expand are given. */
import { floorMod } from '../../numeric/integer.js';
import { MOST_AXES, sizeOf } from '../../tensor/shape.js';
import { allKnown, type Dims, dimsOf, type From, isDeclared, ofSamples, type ShapeValue, sayDims } from './dims.js';
import { attribute, type GraphNode, intOf, intsOf, isOnnx } from './graph.js';

/** Longer than any chain that computes a shape, and more tensors than one follows from. */
const DEEPEST = 64;
const MOST_TENSORS = 1000;

/** Each tensor once: what all of them read twice would double with every step. */
interface Visit {
  readonly depth: number;
  readonly known: Map<string, Promise<ShapeValue[] | null>>;
}

/** Numbers of an integer tensor; null where it is none that follows from shapes and constants. */
export function shapeValues(tensor: string, context: From): Promise<ShapeValue[] | null> {
  return valuesOf(tensor, context, { depth: 0, known: new Map() });
}

function valuesOf(tensor: string, context: From, { depth, known }: Visit): Promise<ShapeValue[] | null> {
  const before = known.get(tensor);
  if (before) return before;
  const isFar = depth > DEEPEST || known.size > MOST_TENSORS;
  const found = isFar ? Promise.resolve(null) : computedValues(tensor, context, { depth: depth + 1, known });
  known.set(tensor, found);
  return found;
}

async function computedValues(tensor: string, context: From, visit: Visit): Promise<ShapeValue[] | null> {
  const { graph, constants } = context;
  const constant = constants.get(tensor);
  if (constant) return constant.source && isShort(constant.shape) ? Array.from(await constants.numbers(tensor)) : null;
  const node = graph.makerOf(tensor);
  if (node?.domain !== '') return null;
  const of = (i: number) => valuesOf(node.inputs[i] ?? '', context, visit);
  switch (node.opType) {
    case 'Shape':
      return shapeOf(node, context);
    case 'Identity':
    case 'Cast':
    case 'Unsqueeze':
    case 'Squeeze':
    case 'Reshape':
      return of(0);
    case 'Where':
      return chosenValues(await of(0), await of(1), await of(2));
    case 'Concat': {
      const parts = await Promise.all(node.inputs.map((_, i) => of(i)));
      const all = parts.some((part) => part === null) ? null : parts.flatMap((part) => part!);
      return all && all.length <= MOST_AXES ? all : null;
    }
    case 'Gather': {
      const [from, at] = await Promise.all([of(0), of(1)]);
      return from && at ? at.map((i) => (i === null ? null : (from.at(i) ?? null))) : null;
    }
    case 'Slice':
      return slicedValues(node, await of(0), of);
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

export function reshapedDims(before: Dims | null, size: Dims): Dims {
  const copied = size.map((dim, axis) => (dim === 0 ? (before?.[axis] ?? null) : dim));
  const own = copied.filter((dim) => dim !== -1);
  const isKnown = allKnown(before) && allKnown(own) && sizeOf(own) > 0;
  const left = isKnown ? sizeOf(before) / sizeOf(own) : null;
  return copied.map((dim) => (dim === -1 ? left : dim));
}

function isShort(shape: readonly number[]): boolean {
  return shape.length <= 1 && sizeOf(shape) <= MOST_AXES;
}

function shapeOf(node: GraphNode, context: From): ShapeValue[] | null {
  const dims = dimsOf(node.inputs[0], context);
  return dims ? dims.slice(intOf(node, 'start', 0), attribute(node, 'end')?.i ?? undefined) : null;
}

async function slicedValues(
  node: GraphNode,
  from: ShapeValue[] | null,
  of: (i: number) => Promise<ShapeValue[] | null>,
) {
  const bound = async (i: number, name: string) => (node.inputs[i] ? await of(i) : intsOf(node, name))?.[0] ?? null;
  const [start, end] = [await bound(1, 'starts'), await bound(2, 'ends')];
  return from && start !== null && end !== null && !node.inputs[4] ? from.slice(start, end) : null;
}

const ARITHMETIC: ReadonlyMap<string, (a: number, b: number) => number> = new Map([
  ['Add', (a, b) => a + b],
  ['Sub', (a, b) => a - b],
  ['Mul', (a, b) => a * b],
  ['Div', (a, b) => Math.trunc(a / b)],
  ['Mod', floorMod],
  ['Max', Math.max],
  ['Min', Math.min],
  ['Equal', (a, b) => (a === b ? 1 : 0)],
]);

/** Of two lists as long as each other, or one of them a number. */
function computed({ opType }: GraphNode, a: ShapeValue[] | null, b: ShapeValue[] | null): ShapeValue[] | null {
  const apply = ARITHMETIC.get(opType);
  if (!apply || !a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
  return Array.from({ length: Math.max(a.length, b.length) }, (_, i) => {
    const [x, y] = [a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]];
    if (opType === 'Equal' && isSamples(x) !== isSamples(y)) return x === -1 || y === -1 ? 0 : null;
    if (x === null || y === null) return null;
    const value = apply(x, y);
    // a sum with the samples, or a part of them, is no number that is known
    return (isSamples(x) || isSamples(y)) && !isSamples(value) && value !== x / y && opType !== 'Equal' ? null : value;
  });
}

/** As many as a call has: open, and no less than one. */
function isSamples(value: ShapeValue): boolean {
  return value === null || ofSamples(value);
}

/** As Expand's shape is chosen, -1 standing for what is kept. */
function chosenValues(condition: ShapeValue[] | null, a: ShapeValue[] | null, b: ShapeValue[] | null) {
  if (!condition || !a || !b || [a, b].some(({ length }) => length !== condition.length)) return null;
  return condition.map((is, i) => (is === null ? null : is === 0 ? b[i] : a[i]));
}
