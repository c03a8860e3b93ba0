/** Nodes in an order in which each reads what was made before, which ONNX asks for and ONNX Runtime does not need. */
import type { OnnxNode } from './proto.js';

/** As they are where that is such an order, or where there is none (a cycle). */
export function inOrder(nodes: readonly OnnxNode[]): readonly OnnxNode[] {
  const makers = new Map(nodes.flatMap((node, i) => node.outputs.map((output) => [output, i] as const)));
  const makersOf = ({ inputs }: OnnxNode) => inputs.flatMap((input) => (input === '' ? [] : (makers.get(input) ?? [])));
  if (nodes.every((node, i) => makersOf(node).every((maker) => maker < i))) return nodes;
  const order = new Set<number>();
  const begun = new Set<number>();
  for (const first of nodes.keys()) {
    const waiting = [first]; // no recursion: a chain may have 100,000
    while (waiting.length > 0) {
      const node = waiting.at(-1)!;
      const before = begun.has(node) ? [] : makersOf(nodes[node]).filter((maker) => !order.has(maker));
      begun.add(node);
      if (before.some((maker) => begun.has(maker))) return nodes;
      if (before.length > 0) waiting.push(...before.reverse());
      else order.add(waiting.pop()!);
    }
  }
  return Array.from(order, (i) => nodes[i]);
}
