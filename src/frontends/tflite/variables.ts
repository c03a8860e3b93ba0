/**
 * Streaming models: a variable keeps its value from call to call. VAR_HANDLE, ASSIGN_VARIABLE and CALL_ONCE (which runs the subgraph
 * that assigns first values) compute nothing that is captured; READ_VARIABLE is a layer that names what was assigned.
 */
import type { Operator, SubGraph, Tensor } from '../../load/tflite/model.js';
import type { Graph } from './graph.js';
import { labelOf } from './label.js';
import type { Node, Translation } from './node.js';

interface Variable {
  readonly name: string;
  /** All that are about it, reading apart. */
  readonly nodes: string[];
  /** Nodes that assign it, in their order, and the tensors that they assign. */
  readonly assigned: { readonly node: number; readonly value: number }[];
  /** What the subgraph that runs once assigns; null: nothing, or no constant. */
  initial: Tensor | null;
}

export class Variables {
  /** By the tensor of a handle. */
  private readonly variables = new Map<number, Variable>();

  constructor(private readonly graph: Graph) {
    const { main, file } = graph;
    const byName = new Map<string, Variable>();
    const once = main.operators.filter(({ name }) => name === 'CALL_ONCE');
    for (const operator of main.operators) {
      if (operator.name === 'VAR_HANDLE') this.declare(operator, byName, once.map(labelOf));
      const variable = operator.name === 'ASSIGN_VARIABLE' ? this.variables.get(operator.inputs[0]) : undefined;
      variable?.nodes.push(labelOf(operator));
      if (operator.inputs[1] >= 0) variable?.assigned.push({ node: operator.index, value: operator.inputs[1] });
    }
    for (const { options } of once) {
      const subgraph = file.subgraphs[Number(options.get('init_subgraph'))];
      if (subgraph) firstValues(subgraph, byName);
    }
  }

  /** Whether a node is only about variables, and computes no value. */
  takes({ operator }: Node): boolean {
    return ['VAR_HANDLE', 'ASSIGN_VARIABLE', 'CALL_ONCE'].includes(operator.name);
  }

  /** Null: another operator. */
  read(node: Node): Translation | null {
    const { name, inputs } = node.operator;
    if (name !== 'READ_VARIABLE') return null;
    const variable = this.variables.get(inputs[0]);
    if (!variable) return { op: 'read_variable', data: [], notReplayed: 'its variable has no handle' };
    const { nodes } = variable;
    const before = variable.assigned.findLast((own) => own.node < node.operator.index);
    if (before) return { op: 'identity', data: [], reads: [before.value], nodes };
    return { op: 'read_variable', data: [], nodes, ...this.state(variable, node) };
  }

  /** What the call before has left. */
  private state({ name, assigned, initial }: Variable, node: Node): Pick<Translation, 'fields' | 'notReplayed'> {
    const last = assigned.at(-1);
    const first = initial && this.graph.elsewhere(`${name} at first`, initial);
    const value = last ? this.graph.key(last.value) : null;
    const fields = { variable: name, assigned: value, initial: first };
    if (!first) return { fields, notReplayed: `the first value of variable ${name} is not in the file` };
    const output = node.output();
    const isSame = sameShape(initial!, output) && (!last || sameShape(this.graph.tensor(last.value), output));
    return { fields, notReplayed: isSame ? null : `variable ${name} changes its shape` };
  }

  private declare(operator: Operator, byName: Map<string, Variable>, once: readonly string[]): void {
    const name = nameOf(operator);
    const variable = byName.get(name) ?? { name, nodes: [...once], assigned: [], initial: null };
    variable.nodes.push(labelOf(operator));
    byName.set(name, variable);
    for (const handle of operator.outputs) this.variables.set(handle, variable);
  }
}

const nameOf = ({ options }: Operator) => String(options.get('shared_name'));

function sameShape(a: Tensor, b: Tensor): boolean {
  return a.type.name === b.type.name && a.shape.join() === b.shape.join();
}

/** Constants that a subgraph assigns. */
function firstValues({ tensors, operators }: SubGraph, byName: ReadonlyMap<string, Variable>): void {
  const handles = new Map<number, Variable | undefined>();
  for (const operator of operators) {
    const { name, inputs, outputs } = operator;
    if (name === 'VAR_HANDLE') for (const handle of outputs) handles.set(handle, byName.get(nameOf(operator)));
    if (name !== 'ASSIGN_VARIABLE') continue;
    const variable = handles.get(inputs[0]);
    if (variable && inputs[1] >= 0) variable.initial = tensors[inputs[1]];
  }
}
