/** What tensors of the graph that runs are called in the model. */
import { FLOAT32, onnxDtype, UINT8 } from '../../load/onnx/dtypes.js';
import { inOrder } from '../../load/onnx/inOrder.js';
import type { OnnxGraph, OnnxNode } from '../../load/onnx/proto.js';
import type { OrtTensor } from './runtime.js';

/** Fusion keeps a node's name, so that each gets one that says which it is. */
export function nodeName(index: number): string {
  return `qdiff${index}`;
}

export type Values = ReadonlyMap<string, OrtTensor>;

const CODES: readonly string[] = ['int8', 'uint8', 'int16', 'uint16'];
const PASSED: readonly string[] = ['Relu', 'Clip', 'Add'];
const KEEPS_TYPE: readonly string[] = [
  ...['Reshape', 'Flatten', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice', 'Split', 'Gather', 'Expand', 'Tile', 'Pad'],
  ...['Identity', 'Concat', 'DepthToSpace', 'SpaceToDepth', 'MaxPool', 'Resize', 'Upsample', 'ReduceMax', 'ReduceMin'],
  ...['Relu', 'Clip', 'Max', 'Min'],
];

/** How the optimizer names the codes of a tensor. */
const CARRIED = '_q_to_dq';
const CARRIES = ['MaxPool', 'Reshape', 'Transpose', 'Squeeze', 'Unsqueeze', 'Slice'];

/** The bytes of constants that are one float. */
export type Scales = ReadonlyMap<string, string>;

type Makers = ReadonlyMap<string, OnnxNode>;

/** The tensor that comes here through what only moves values, and the node that makes it. */
function sourceOf(name: string, makers: Makers): { at: string; node: OnnxNode | undefined } {
  let [at, node] = [name, makers.get(name)];
  while (node && KEEPS_TYPE.includes(node.opType)) [at, node] = [node.inputs[0], makers.get(node.inputs[0])];
  return { at, node };
}

/** Of the scale that dequantized what is moved here; null where nothing did, '' where the scale is not known. */
function scaleBehind(name: string, makers: Makers, scales: Scales): string | null {
  const { node } = sourceOf(name, makers);
  return node?.opType === 'DequantizeLinear' ? (scales.get(node.inputs[1]) ?? '') : null;
}

/** int8 that runs as uint8 has all codes + 128; null: other codes than the model's. */
function asType(value: OrtTensor, type: string | null): OrtTensor | null {
  if (type === value.type) return value;
  if (type !== 'int8' || value.type !== 'uint8') return null;
  return { type, dims: value.dims, data: Int8Array.from(value.data as Uint8Array, (code) => code - 128) };
}

export class ModelNames {
  private readonly producers = new Map<string, OnnxNode>();
  private readonly readers = new Map<string, OnnxNode[]>();
  private readonly elementTypes = new Map<string, number>();
  private readonly computed = new Set<string>();
  /** In which they run; the model may have them in any order. */
  private readonly nodes: readonly OnnxNode[];

  constructor(
    private readonly model: OnnxGraph,
    private readonly scales: Scales = new Map(),
  ) {
    this.nodes = inOrder(model.nodes);
    for (const node of model.nodes) {
      for (const name of node.outputs) if (name) this.producers.set(name, node);
      for (const name of node.inputs) this.readers.set(name, [...(this.readers.get(name) ?? []), node]);
      const value = node.attributes.find(({ name, t }) => name === 'value' && t)?.t;
      if (node.opType === 'Constant' && value) this.elementTypes.set(node.outputs[0], value.dataType);
    }
    for (const { name, elemType } of model.inputs) this.elementTypes.set(name, elemType);
    for (const { name, dataType } of model.initializers) this.elementTypes.set(name, dataType);
    for (const { opType, inputs, outputs } of this.nodes) {
      const type = opType === 'Identity' ? this.elementTypes.get(inputs[0]) : undefined;
      if (type !== undefined) this.elementTypes.set(outputs[0], type); // PyTorch's exporter: one initializer, several names
    }
    this.follow();
  }

  /** The values of the fused graph by the model's names; those of tensors that the optimizer invented are left out. */
  of(fused: OnnxGraph, values: Values, scales: Scales = new Map()): Map<string, OrtTensor> {
    const named = new Map<string, OrtTensor>();
    const renamed = new Map<string, OrtTensor>();
    const makers: Makers = new Map(fused.nodes.flatMap((node) => node.outputs.map((name) => [name, node])));
    for (const node of fused.nodes) {
      const origin = this.originOf(node);
      for (const [position, name] of node.outputs.entries()) {
        const value = values.get(name);
        if (!value) continue;
        const isNamed = this.producers.has(name);
        const target = isNamed || !origin ? name : this.computedBy(origin, position, value, node);
        if (target === null) continue;
        const [meant, ran] = [scaleBehind(target, this.producers, this.scales), scaleBehind(name, makers, scales)];
        // the optimizer quantizes before what moves it: codes as reals
        if (value.type.startsWith('float') && ![null, '', meant].includes(ran) && meant !== '') continue;
        if (isNamed) this.keep(named, target, value);
        else if (origin) this.keep(renamed, target, value);
      }
    }
    const every = new Map([...renamed, ...named]);
    const names = [...this.producers.keys()].filter((name) => this.computed.has(name) && every.has(name));
    return new Map([...names.map((name) => [name, every.get(name)!] as const), ...this.carried(values)]);
  }

  /** Codes of tensors that are floats in the model: the optimizer carried a conversion over what only moves them. */
  private carried(values: Values): Map<string, OrtTensor> {
    const codes = new Map<string, OrtTensor>();
    const behind = this.behindTransposes();
    for (const [name, value] of values) {
      const base = name.endsWith(CARRIED) && !this.producers.has(name) ? name.slice(0, -CARRIED.length) : '';
      const quantize = this.producers.has(base) && !behind.has(base) ? this.conversionOf(base) : undefined;
      const own = quantize ? asType(value, this.typeOfCodes(quantize)) : null;
      if (own) codes.set(name, own);
    }
    return codes;
  }

  /** The QuantizeLinear behind what moves a tensor, or the one before the DequantizeLinear from which it was moved here. */
  private conversionOf(tensor: string): OnnxNode | undefined {
    for (let at = tensor; ; ) {
      const behind = (this.readers.get(at) ?? []).filter(({ inputs }) => inputs[0] === at);
      const quantize = behind.find(({ opType }) => opType === 'QuantizeLinear');
      if (quantize) return quantize;
      if (behind.length !== 1 || !CARRIES.includes(behind[0].opType)) break;
      at = behind[0].outputs[0];
    }
    const { node } = sourceOf(tensor, this.producers);
    const before = node?.opType === 'DequantizeLinear' ? this.producers.get(node.inputs[0]) : undefined;
    return before?.opType === 'QuantizeLinear' ? before : undefined;
  }

  /** Tensors that a Transpose computes, or what reads one. */
  behindTransposes(): ReadonlySet<string> {
    const behind = new Set<string>();
    for (const { opType, inputs, outputs } of this.nodes) {
      if (opType === 'Transpose' || inputs.some((name) => behind.has(name)))
        for (const name of outputs) behind.add(name);
    }
    return behind;
  }

  private keep(into: Map<string, OrtTensor>, name: string, value: OrtTensor): void {
    const own = this.inItsType(name, value);
    if (own) into.set(name, own);
    else into.delete(name);
  }

  private originOf({ name }: OnnxNode): OnnxNode | undefined {
    const index = /^qdiff(\d+)(?:_token_\d+)*$/.exec(name)?.[1];
    return index === undefined ? undefined : this.model.nodes[Number(index)];
  }

  /** Which tensors follow from the inputs: the others are constants. Nodes are sorted, or ONNX Runtime had refused the graph. */
  private follow(): void {
    const constants = new Set(this.model.initializers.map(({ name }) => name));
    const known = new Set(this.model.inputs.map(({ name }) => name).filter((name) => !constants.has(name)));
    for (const { inputs, outputs, opType } of this.nodes) {
      const follows = inputs.length === 0 ? opType !== 'Constant' : inputs.some((name) => known.has(name));
      for (const name of follows ? outputs : []) {
        known.add(name);
        this.computed.add(name);
      }
    }
  }

  /** What a fused node computes, of which the optimizer kept the first node's name: codes are those of the Q behind it. */
  private computedBy(node: OnnxNode, position: number, { type }: OrtTensor, fused: OnnxNode): string | null {
    let at = node.outputs[Math.min(position, node.outputs.length - 1)];
    const activation = fused.attributes.find(({ name }) => name === 'activation')?.s;
    if (type.startsWith('float') && fused.opType.startsWith('Fused') && activation) {
      return (this.readers.get(at) ?? []).find(({ opType }) => opType === activation)?.outputs[0] ?? null;
    }
    if (type.startsWith('float') || node.opType === 'QuantizeLinear') return at;
    for (;;) {
      const behind = (this.readers.get(at) ?? []).filter(({ inputs }) => inputs[0] === at);
      const quantize = behind.find(({ opType }) => opType === 'QuantizeLinear');
      if (quantize) return quantize.outputs[0];
      const [only] = behind;
      if (behind.length !== 1 || only.domain !== '' || !PASSED.includes(only.opType)) return at;
      at = only.outputs[0];
    }
  }

  /** Null where the optimizer computes something else under this name. int8 activations run as uint8, all codes + 128. */
  private inItsType(name: string, value: OrtTensor): OrtTensor | null {
    const type = this.typeOfCodes(this.producers.get(name)!);
    if (type === null && CODES.includes(value.type) && this.isFloat(name)) return null;
    return type === null ? value : asType(value, type);
  }

  /** Whether the model has floats here, where the optimizer moves codes instead. */
  private isFloat(name: string): boolean {
    const { at, node } = sourceOf(name, this.producers);
    if (node && node.opType !== 'Constant') return !/^(Dynamic)?Q|^Cast$|Integer/.test(node.opType);
    return this.elementTypes.get(at) === FLOAT32;
  }

  /** Of QuantizeLinear: its zero point's type, or output_dtype, or uint8. Null: another operator, or not known. */
  private typeOfCodes({ opType, inputs, attributes }: OnnxNode): string | null {
    if (opType !== 'QuantizeLinear') return null;
    const asked = attributes.find(({ name, i }) => name === 'output_dtype' && i)?.i;
    const element = asked ?? (inputs[2] ? this.elementTypes.get(inputs[2]) : UINT8);
    return element === undefined ? null : onnxDtype(element).name;
  }
}
