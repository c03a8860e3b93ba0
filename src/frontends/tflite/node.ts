/** One operator while its layer is made. */
import type { Operator, Tensor } from '../../load/tflite/model.js';
import type { Graph } from './graph.js';

/** What an operator becomes in model.json's words. */
export interface Translation {
  readonly op: string;
  /** Positions of the inputs that are values; absent: all of them. */
  readonly data?: readonly number[];
  /** Tensors that are values besides. */
  readonly reads?: readonly number[];
  /** The layer's fields beside name, op, input and output. */
  readonly fields?: Readonly<Record<string, unknown>>;
  /** Others that the layer is made of. */
  readonly nodes?: readonly string[];
  /** Of operators with several outputs: what each is. */
  readonly each?: readonly Translation[];
  /** What it computes has no scale: an index, or what is true. */
  readonly isBare?: boolean;
  /** Why no engine can take it. */
  readonly notReplayed?: string | null;
}

export class Node {
  constructor(
    readonly graph: Graph,
    readonly operator: Operator,
  ) {}

  /** The tensor at a position of the inputs; null: left out. */
  input(position: number): Tensor | null {
    const index = this.operator.inputs[position] ?? -1;
    return index < 0 ? null : this.graph.tensor(index);
  }

  /** As input, of an operator that cannot do without. */
  needs(position: number): Tensor {
    const tensor = this.input(position);
    if (tensor) return tensor;
    throw this.refuse(`expected an input ${position}, got ${this.operator.inputs.length} inputs`);
  }

  output(): Tensor {
    const [index] = this.operator.outputs;
    if (index !== undefined) return this.graph.tensor(index);
    throw this.refuse('expected an output, got none');
  }

  number(option: string): number {
    return Number(this.operator.options.get(option) ?? 0);
  }

  flag(option: string): boolean {
    return this.number(option) !== 0;
  }

  /** Options that a kernel divides by or walks with. */
  positive(option: string): number {
    const value = this.number(option);
    if (value >= 1) return value;
    throw this.refuse(`expected ${option} of at least 1, got ${value}`);
  }

  /** The integers of a constant input; null where it is computed, or left out. */
  async integers(position: number): Promise<readonly number[] | null> {
    const tensor = this.input(position);
    return tensor && this.graph.integers(tensor.index);
  }

  refuse(message: string) {
    return this.graph.refuse(this.operator, message);
  }
}
