/**
 * Streaming models: a variable keeps its value from call to call. VAR_HANDLE, ASSIGN_VARIABLE and CALL_ONCE (which runs the subgraph
 * that assigns first values) compute nothing that is captured; READ_VARIABLE is a layer that names the variable.
 */
import type { Operator } from '../../load/tflite/model.js';
import type { Graph } from './graph.js';
import { labelOf, type Node, type Translation } from './node.js';

interface Variable {
  readonly name: string;
  /** All that are about it, reading apart. */
  readonly nodes: string[];
  /** The value that a call leaves for the next. */
  assigned: string | null;
}

export class Variables {
  /** By the tensor of a handle. */
  private readonly variables = new Map<number, Variable>();

  constructor({ main: { operators }, key }: Pick<Graph, 'main' | 'key'>) {
    const byName = new Map<string, Variable>();
    const once = operators.filter(({ name }) => name === 'CALL_ONCE').map(labelOf);
    for (const operator of operators) {
      if (operator.name === 'VAR_HANDLE') this.declare(operator, byName, once);
      if (operator.name !== 'ASSIGN_VARIABLE') continue;
      const [handle, value] = operator.inputs;
      const variable = this.variables.get(handle);
      variable?.nodes.push(labelOf(operator));
      if (variable && value >= 0) variable.assigned = key(value);
    }
  }

  /** Whether a node is only about variables, and computes no value. */
  takes({ operator }: Node): boolean {
    return ['VAR_HANDLE', 'ASSIGN_VARIABLE', 'CALL_ONCE'].includes(operator.name);
  }

  /** Null: another operator. */
  read({ operator: { name, inputs } }: Node): Translation | null {
    if (name !== 'READ_VARIABLE') return null;
    const variable = this.variables.get(inputs[0]);
    const notReplayed = `the state of variable ${variable?.name ?? 'without a handle'}, from the call before`;
    const fields = { variable: variable?.name ?? null, assigned: variable?.assigned ?? null };
    return { op: 'read_variable', data: [], fields, nodes: variable?.nodes ?? [], notReplayed };
  }

  private declare(operator: Operator, byName: Map<string, Variable>, once: readonly string[]): void {
    const name = String(operator.options.get('shared_name'));
    const variable = byName.get(name) ?? { name, nodes: [...once], assigned: null };
    variable.nodes.push(labelOf(operator));
    byName.set(name, variable);
    for (const handle of operator.outputs) this.variables.set(handle, variable);
  }
}
