/** Nodes to layers: patterns, what they left, and what is known of every value. */

import { BFLOAT16, BOOL, FLOAT16, FLOAT32, INT32, INT64, onnxDtype } from '../../load/onnx/dtypes.js';
import type { OnnxModel } from '../../load/onnx/proto.js';
import { printable } from '../../text.js';
import type { Constants } from './constants.js';
import { allKnown, runOf } from './dims.js';
import { Arrays, type Context, type Draft, type Pattern, type ValueType } from './draft.js';
import { embeddedCodes, givenCodes } from './embedded.js';
import { type Graph, type GraphNode, intOf, isMicrosoft, isOnnx } from './graph.js';
import { dequantizeOf } from './operand.js';
import { firstPatterns, PatternTable, patterns } from './patterns/registry.js';
import {
  BOOLEAN,
  INDEX,
  outputOf,
  type Quantization,
  quantizationOf,
  sameParams,
  unknownScale,
} from './quantization.js';
import { blocksBefore, isFirst, losesSamples, placeOf, sampleDims, saySamples } from './samples.js';
import type { Session } from './session.js';
import { ShapeNodes } from './shapes.js';
import { sayReshaped } from './shapeValues.js';

export interface GraphLayers {
  /** In execution order. */
  readonly drafts: readonly Draft[];
  readonly inputs: readonly GraphInput[];
  readonly arrays: Arrays;
  /** Tensors that are codes of others as reals, which nobody reads as floats. */
  readonly views: readonly string[];
}

interface GraphInput extends Pick<Draft, 'name' | 'shape'> {
  readonly type: ValueType;
}

export async function layersOf(graph: Graph, constants: Constants, session: Session): Promise<GraphLayers> {
  const types = await Types.of(graph, constants);
  const arrays = new Arrays();
  const asRun = { graph, constants, run: runOf(graph, session.captured) };
  const context: Context = {
    graph,
    constants,
    arrays,
    session,
    asRun,
    typeOf: (tensor) => types.get(tensor),
    halves: types.halves,
  };
  await sayReshaped(context);
  await saySamples(asRun);
  const finder = new Finder(context, types, new ShapeNodes(graph, constants));
  await finder.find(firstPatterns);
  await finder.find(patterns);
  const drafts = await finder.withDequantized();
  const isGiven = new Set(graph.model.graph.inputs.map(({ name }) => name));
  for (const { tensor, q } of drafts.flatMap(({ reads = [] }) => reads)) {
    if (types.get(tensor) === null && isGiven.has(tensor)) types.set(tensor, q);
  }
  const shapes = shapesOf(graph.model);
  const named = new Set(drafts.map(({ name }) => name));
  const given = graph.model.graph.inputs.filter(({ name }) => !constants.get(name));
  return {
    drafts: drafts.map((draft) => ({
      ...onSamples(checked(draft, types), context),
      ...stored(draft, shapes, context),
    })),
    inputs: given.map(({ name }) => ({ name, type: types.get(name), shape: shapes.get(name) })),
    arrays,
    views: graph.nodes.flatMap((node) =>
      isOnnx(node, 'DequantizeLinear') && !named.has(node.outputs[0]) ? node.outputs : [],
    ),
  };
}

/** Of the values of which the file gives every dimension but the samples'. */
function shapesOf({ graph }: OnnxModel): Map<string, readonly number[]> {
  const shapes = new Map<string, readonly number[]>();
  for (const { name, dims } of [...graph.inputs, ...graph.valueInfo, ...graph.outputs]) {
    const own = dims?.slice(1) ?? [];
    if (own.length > 0 && own.every((dim) => dim !== null && dim > 0)) shapes.set(name, own as number[]);
  }
  return shapes;
}

/** A QuantizeLinear at the end keeps the shape of what it reads, which the file is likelier to give. */
function shapeOf({ name, nodes }: Draft, shapes: ReadonlyMap<string, readonly number[]>) {
  const last = nodes.at(-1) ?? null;
  return shapes.get(name) ?? (isOnnx(last, 'QuantizeLinear') ? shapes.get(last.inputs[0]) : undefined);
}

/** A layer behind which nobody knows where the samples are. */
function onSamples(draft: Draft, { asRun }: Context): Draft {
  if (draft.notReplayed || !draft.nodes.some((node) => losesSamples(node, asRun))) return draft;
  return { ...draft, notReplayed: "the samples' axis is not the first of what it reads" };
}

/** The shape of a sample, and where it is in what was captured. */
function stored(draft: Draft, shapes: ReadonlyMap<string, readonly number[]>, { asRun }: Context) {
  if (isFirst(placeOf(draft.name, asRun))) return { shape: shapeOf(draft, shapes) };
  const dims = sampleDims(draft.name, asRun);
  const before = blocksBefore(draft.name, asRun);
  return { shape: allKnown(dims) ? dims : undefined, ...(before === null ? {} : { blocksBefore: before }) };
}

class Finder {
  private readonly drafts: Draft[] = [];
  private readonly taken = new Set<GraphNode>();

  constructor(
    private readonly context: Context,
    private readonly types: Types,
    private readonly shapes: ShapeNodes,
  ) {
    for (const node of context.constants.nodes) this.taken.add(node);
    for (const node of shapes.nodes) this.taken.add(node);
    for (const node of context.graph.nodes) if (node.outputs.length === 0) this.taken.add(node);
  }

  /** In the order of execution. What dequantizes is looked at last: it is a layer only where somebody reads the floats. */
  async find(patterns: readonly Pattern[]): Promise<void> {
    const table = new PatternTable(patterns);
    for (const node of this.context.graph.nodes) {
      if (this.taken.has(node) || (isOnnx(node, 'DequantizeLinear') && this.isView(node))) continue;
      for (const pattern of table.of(node.opType)) {
        const found = await pattern.match(node, this.context);
        if (!found) continue;
        for (const draft of found) this.take(draft);
        break;
      }
    }
  }

  private isView(node: GraphNode): boolean {
    return node.inputs.slice(1).every((input) => input === '' || this.context.constants.get(input) !== null);
  }

  private take(draft: Draft): void {
    this.drafts.push(draft);
    for (const node of draft.nodes) this.taken.add(node);
    this.types.set(draft.name, draft.output);
  }

  /** All layers, with those that dequantize, in the order of execution. */
  async withDequantized(): Promise<Draft[]> {
    const { graph, arrays } = this.context;
    const read = new Set(this.drafts.flatMap(({ inputs }) => inputs));
    const dequantizing: Draft[] = [];
    for (const node of graph.nodes) {
      const [output] = node.outputs;
      if (this.taken.has(node) || !isOnnx(node, 'DequantizeLinear') || arrays.values.has(output)) continue;
      const isRead = read.has(output) || graph.isOutput(output) || graph.readersOf(output).length === 0;
      if (isRead) dequantizing.push(await this.dequantized(node));
    }
    return [...this.drafts, ...dequantizing]
      .sort((a, b) => a.at.index - b.at.index)
      .map((draft) => ({ ...draft, nodes: this.shapes.with(draft.nodes) }));
  }

  private async dequantized(node: GraphNode): Promise<Draft> {
    const { constants } = this.context;
    const [codes] = node.inputs;
    const q = await dequantizeOf(node, this.context);
    const isConstant = constants.get(codes) !== null;
    const whole = q && q.scale.length === 1 && !isConstant;
    const why = isConstant && q ? 'it dequantizes a constant' : unknownScale(node.inputs[1] ?? '', constants);
    return {
      at: node,
      nodes: [node],
      name: node.outputs[0],
      op: 'dequantize',
      inputs: isConstant ? [] : [codes],
      output: q ? 'float32' : null,
      ...(whole ? { reads: [{ tensor: codes, q }] } : { notReplayed: why }),
    };
  }
}

/** What qdiff has no values of, and what two nodes say differently of one tensor. */
function checked(draft: Draft, types: Types): Draft {
  if (draft.notReplayed) return draft;
  for (const { tensor, q } of draft.reads ?? []) {
    const made = types.get(tensor);
    if (made !== null && made !== 'float32' && !sameParams(made, q)) {
      const notReplayed = `it reads ${printable(tensor)} with another scale or zero point than it was written with`;
      return { ...draft, notReplayed };
    }
  }
  const values = [...draft.inputs.map((name) => types.get(name)), draft.output];
  const odd = values.find((type) => type !== null && type !== 'float32' && !outputOf(type));
  if (odd && odd !== 'float32') return { ...draft, notReplayed: `a value of it has ${oddOf(odd)}` };
  const { range: [low, high] = [0, 1] } = draft;
  return low < high ? draft : { ...draft, notReplayed: 'its clamp leaves one code alone' };
}

function oddOf({ scale, dtype, isOfNothing }: Quantization): string {
  if (scale.length > 1) return `${scale.length} scales`;
  if (scale[0] === Number.POSITIVE_INFINITY)
    return 'an infinite scale (calibration saw an infinite value: a mask of -inf)';
  if (isOfNothing)
    return 'a scale of 0 (ONNX Runtime makes it of two pairs in a row whose ranges have 0 alone in common)';
  return `${dtype.name} codes`;
}

/** What is known of each tensor: said by the file, by who reads it, or by the layer that makes it. */
class Types {
  private readonly types = new Map<string, ValueType>();
  /** Of two bytes, as the file says. */
  readonly halves = new Set<string>();

  static async of(graph: Graph, constants: Constants): Promise<Types> {
    const types = new Types();
    const { inputs, outputs, valueInfo } = graph.model.graph;
    for (const { name, elemType } of [...inputs, ...outputs, ...valueInfo]) {
      if (elemType === FLOAT32) types.set(name, 'float32');
      if (elemType === BOOL) types.set(name, BOOLEAN);
      if (INTEGERS.includes(elemType) && looksUp(name, graph, constants)) types.set(name, INDEX);
    }
    for (const input of inputs) {
      const given = await givenCodes(input, graph, constants);
      if (given) types.set(input.name, given);
    }
    const { halves } = types;
    for (const { name, elemType } of [...inputs, ...valueInfo]) if (HALVES.includes(elemType)) halves.add(name);
    const isFloat = (scale: string) => constants.get(scale)?.dtype === onnxDtype(FLOAT32);
    for (const node of graph.nodes) {
      const [first = '', scale = '', zeroPoint] = node.inputs;
      if (isOnnx(node, 'QuantizeLinear') && isFloat(scale) && !halves.has(first)) types.set(first, 'float32');
      if (isOnnx(node, 'DynamicQuantizeLinear')) types.set(first, 'float32');
      const isReal = (name: string) => (constants.get(name) ?? constants.real(name))?.dtype === onnxDtype(FLOAT32);
      if ((isOnnx(node, ...OF_ONE_TYPE) || isMicrosoft(node, ...OWN_OF_ONE_TYPE)) && node.inputs.some(isReal)) {
        const own = [
          ...node.inputs.filter((name) => !isOnnx(graph.makerOf(name), 'DequantizeLinear')),
          ...node.outputs,
        ];
        for (const name of own) if (!constants.get(name)) types.set(name, 'float32');
      }
      for (const place of INTEGERS_AT.get(isMicrosoft(node, node.opType) ? node.opType : '') ?? [])
        for (let name = node.inputs[place] ?? ''; name !== ''; name = castFrom(name, graph)) types.set(name, INDEX);
      const embedded = await embeddedCodes(node, graph, constants);
      if (embedded) types.set(node.outputs[0], embedded);
      if (!isOnnx(node, 'DequantizeLinear') || !isFloat(scale)) continue;
      types.set(node.outputs[0], 'float32');
      if (graph.makerOf(first) || constants.get(first)) continue;
      types.set(
        first,
        await quantizationOf(constants, scale, zeroPoint, { node, dtype: inputDtype(graph.model, first) }),
      );
    }
    return types;
  }

  get(tensor: string): ValueType {
    return this.types.get(tensor) ?? null;
  }

  set(tensor: string, type: ValueType): void {
    this.types.set(tensor, type);
  }
}

/** What they read and give has one type: float32 where a constant of it has. */
const OF_ONE_TYPE = ['Conv', 'ConvTranspose', 'Gemm', 'MatMul', 'Add', 'Sub', 'Mul', 'Div'];

const OWN_OF_ONE_TYPE = ['SkipLayerNormalization', 'SkipSimplifiedLayerNormalization', 'BiasGelu', 'FastGelu'];

/** Of ONNX Runtime's own: masks, and rows of tables. */
const INTEGERS_AT = new Map([
  ['QAttention', [5]],
  ['EmbedLayerNormalization', [0, 1, 7]],
  ['QEmbedLayerNormalization', [0, 1, 7]],
]);

/** An integer of the graph as it was before it was cast; '': it was not, or was none. */
function castFrom(name: string, graph: Graph): string {
  const maker = graph.makerOf(name);
  const from = isOnnx(maker, 'Cast') ? maker.inputs[0] : '';
  return INTEGERS.includes(elemTypeOf(from, graph)) ? from : '';
}

/** As the file says; 0: it does not. */
function elemTypeOf(name: string, graph: Graph): number {
  const maker = graph.makerOf(name);
  if (isOnnx(maker, 'Cast')) return intOf(maker, 'to', 0);
  const { inputs, outputs, valueInfo } = graph.model.graph;
  return [...inputs, ...outputs, ...valueInfo].find((value) => value.name === name)?.elemType ?? 0;
}

const INTEGERS = [INT32, INT64];

/** Since opset 23 a float32 scale may stand beside them. */
const HALVES = [FLOAT16, BFLOAT16];

/** Whether rows of a table of the file are taken by what a graph is given. */
function looksUp(input: string, graph: Graph, constants: Constants): boolean {
  return graph.readersOf(input).some((reader) => {
    const [table, indices] = reader.inputs;
    const codes = graph.makerOf(table);
    const isTable = [table, isOnnx(codes, 'DequantizeLinear') ? codes.inputs[0] : ''].some((name) =>
      constants.get(name),
    );
    return isOnnx(reader, 'Gather') && indices === input && isTable;
  });
}

function inputDtype(model: OnnxModel, name: string) {
  const input = model.graph.inputs.find((info) => info.name === name);
  return input && onnxDtype(input.elemType);
}
