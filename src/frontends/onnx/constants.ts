/** Tensors that are known before anything runs: initializers, and what nodes make of them. */

import { checkExternalFile } from '../../load/onnx/external.js';
import type { OnnxTensor } from '../../load/onnx/proto.js';
import { type CheckedTensor, openTensor, type TensorFile } from '../../load/onnx/tensor.js';
import { collecting, refuse } from '../../load/refuse.js';
import type { NumericArray } from '../../nouns/array.js';
import { InputError, type Problem } from '../../nouns/problem.js';
import { sizeOf } from '../../tensor/shape.js';
import { printable } from '../../text.js';
import { folds, MOST_NUMBERS_AT_ONCE } from './folds.js';
import { attribute, type Graph, type GraphNode } from './graph.js';

/** A tensor's dtype, shape and numbers, which are read when they are asked for. */
export type Constant = CheckedTensor;

/** What follows from shapes: that is known elsewhere. */
type FromShapes = (node: GraphNode, constants: Constants) => Promise<Constant | null>;

/** Enough to say of one file. */
const MOST_PROBLEMS = 100;

export class Constants {
  private readonly constants = new Map<string, Constant>();
  private readonly read = new Map<string, Promise<NumericArray>>();
  /** Dequantized codes: patterns ask for the codes, only what quantizes them again for the reals. */
  private readonly reals = new Map<string, Constant>();
  /** The nodes that are constants. */
  readonly nodes = new Set<GraphNode>();
  /** Computed of dequantized codes: to ONNX Runtime, which dequantizes when it runs, these are no constants. */
  readonly fromCodes = new Set<string>();
  /** Not in the file: ONNX Runtime's. */
  readonly made = new Set<string>();
  /** Computed in every call all the same, since a shape that the samples are part of is not known before. */
  readonly atRun = new Set<string>();

  private constructor(private readonly from: TensorFile) {}

  /** Throws InputError with every tensor whose size contradicts its shape, that is there twice or lies outside. */
  static async of(graph: Graph, from: TensorFile, fromShapes: FromShapes): Promise<Constants> {
    const constants = new Constants(from);
    const problems: Problem[] = [];
    for (const tensor of graph.model.graph.initializers) {
      if (problems.length > MOST_PROBLEMS) break;
      await collecting(problems, () => constants.add(tensor, tensor.name));
    }
    if (problems.length === 0) await constants.checkFiles(graph.model.graph.initializers, problems);
    if (problems.length > 0) throw new InputError(problems);
    for (const node of graph.nodes) {
      await collecting(problems, async () => {
        await constants.fold(node);
        if (!constants.nodes.has(node)) await constants.take(node, fromShapes);
      });
    }
    if (problems.length > 0) throw new InputError(problems);
    return constants;
  }

  private add(tensor: OnnxTensor, name: string): void {
    if (this.constants.has(name)) {
      throw refuse(
        'duplicate',
        `${printable(this.from.path)} initializer ${printable(name)}`,
        'expected one of this name, got two',
      );
    }
    this.constants.set(name, openTensor(this.from, tensor, name));
  }

  /** Of tensors whose numbers lie elsewhere. */
  private async checkFiles(tensors: readonly OnnxTensor[], problems: Problem[]): Promise<void> {
    const { fs, path } = this.from;
    const sizes = new Map<string, number | null>();
    for (const { name, data } of tensors) {
      if (data.kind !== 'external' || problems.length > MOST_PROBLEMS) continue;
      const { dtype, shape } = this.constants.get(name)!;
      const bytes = Math.ceil((sizeOf(shape) * dtype.bits) / 8);
      const tensor = { entries: data.entries, bytes, where: `${printable(path)} tensor ${printable(name)}` };
      await collecting(problems, () => checkExternalFile(fs, path, tensor, sizes));
    }
  }

  private async take(node: GraphNode, fromShapes: FromShapes): Promise<void> {
    const constant = await fromShapes(node, this);
    if (!constant) return;
    this.constants.set(node.outputs[0], constant);
    this.nodes.add(node);
  }

  private async fold(node: GraphNode): Promise<void> {
    const [output] = node.outputs;
    const fold = node.domain === '' ? folds.get(node.opType) : undefined;
    if (!fold || node.outputs.length !== 1 || output === '') return;
    const isReal = node.opType === 'DequantizeLinear' || (node.opType === 'Identity' && this.reals.has(node.inputs[0]));
    const inputs = node.inputs.map((name) => (name === '' ? null : (this.get(name) ?? this.reals.get(name) ?? null)));
    if (inputs.some((input, i) => input === null && node.inputs[i] !== '')) return;
    const folded = await fold({
      node,
      inputs,
      key: output,
      open: (tensor) => openTensor(this.from, tensor, output),
      numbers: (i) => (this.get(node.inputs[i]) ? this.numbers(node.inputs[i]) : inputs[i]!.source!.read()),
    });
    if (!folded) return;
    if (isReal) this.reals.set(output, folded);
    else {
      this.constants.set(output, folded);
      this.nodes.add(node);
      if (node.inputs.some((input) => this.reals.has(input) || this.fromCodes.has(input))) this.fromCodes.add(output);
    }
    if (node.inputs.some((input) => this.atRun.has(input))) this.atRun.add(output);
  }

  /** What ONNX Runtime makes of numbers of the file, as the node of it. */
  put(node: GraphNode, constant: Constant): GraphNode {
    this.constants.set(node.outputs[0], constant);
    this.made.add(node.outputs[0]);
    this.nodes.add(node);
    return node;
  }

  /** What a node gives is dequantized codes after all. */
  isReal(node: GraphNode): void {
    const [output] = node.outputs;
    this.reals.set(output, this.constants.get(output)!);
    this.constants.delete(output);
    this.nodes.delete(node);
  }

  get(name: string): Constant | null {
    return this.constants.get(name) ?? null;
  }

  /** Reals of constant codes that are dequantized; null of any other tensor. */
  real(name: string): Constant | null {
    return this.reals.get(name) ?? null;
  }

  /** Numbers of a tensor that is an attribute of a node; null where there is none, or they are not read. */
  async attributeNumbers(node: GraphNode, name: string): Promise<NumericArray | null> {
    const tensor = attribute(node, name)?.t;
    return (tensor && (await openTensor(this.from, tensor, node.name).source?.read())) ?? null;
  }

  /** The numbers of a small constant. Throws InputError where it is large, or of a type that is not read. */
  async numbers(name: string): Promise<NumericArray> {
    const constant = this.constants.get(name)!;
    const where = `${printable(this.from.path)} tensor ${printable(name)}`;
    const count = sizeOf(constant.shape);
    if (!constant.source) throw refuse('dtype', where, `expected numbers that qdiff reads, got ${constant.dtype.name}`);
    if (count > MOST_NUMBERS_AT_ONCE) {
      throw refuse('size', where, `expected at most ${MOST_NUMBERS_AT_ONCE} numbers (a scale, a shape), got ${count}`);
    }
    const read = this.read.get(name) ?? constant.source.read();
    this.read.set(name, read);
    return read;
  }
}
