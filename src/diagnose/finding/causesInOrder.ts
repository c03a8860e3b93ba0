/** Causes of a finding by their weight. In a file of its own: a verdict has the order too, and loads no cause's words for it. */
import type { Evidence } from './evidence.js';

export function evidenceOf(cause: string, evidence: Evidence): object {
  return Object.hasOwn(evidence, cause) ? (evidence[cause as keyof Evidence] ?? {}) : {};
}

/** What most values need comes first; what came with the input before all. */
export function inOrder(causes: readonly string[], evidence: Evidence): string[] {
  const valuesOf = (cause: string) => (evidenceOf(cause, evidence) as { readonly values?: number }).values ?? 0;
  const rank = (cause: string) => (cause === 'inherited' ? Number.POSITIVE_INFINITY : valuesOf(cause));
  return [...causes].sort((a, b) => (rank(a) === rank(b) ? 0 : rank(b) - rank(a)));
}
