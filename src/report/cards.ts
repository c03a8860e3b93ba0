/** A page's findings as cards, in the order in which one wants to read them. */
import type { LayerReport, Report } from '../nouns/report.js';
import { type Finding, findings } from './findings.js';
import { causesOf, differs } from './verdict.js';

export interface Card {
  readonly finding: Finding;
  /** A, B, ... Z, AA; an arrow down for what only comes with the input. */
  readonly letter: string;
  readonly kind: 'unexplained' | 'own' | 'inherited';
  /** Values that differ in its layers. */
  readonly values: number;
  readonly worst: number;
}

const ORDER = ['unexplained', 'own', 'inherited'] as const;

/** What nothing explains comes first, then what one can mend, by values; what is inherited mends itself. */
export function cardsOf(report: Report): Card[] {
  const cards = findings(report, differs).map((finding) => {
    const values = finding.layers.reduce((sum, { mismatched }) => sum + (mismatched ?? 0), 0);
    const worst = finding.layers.reduce((most, { max_abs_diff: size }) => Math.max(most, size ?? 0), 0);
    return { finding, kind: kindOf(finding.layers, report), values, worst };
  });
  cards.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || b.values - a.values);
  return cards.map((card, i) => ({ ...card, letter: card.kind === 'inherited' ? '↓' : letterOf(i) }));
}

function kindOf(layers: readonly LayerReport[], report: Report): Card['kind'] {
  const causes = layers.flatMap((layer) => causesOf(layer, report));
  if (causes.includes('unexplained') || causes.length === 0) return 'unexplained';
  return causes.every((cause) => cause === 'inherited') ? 'inherited' : 'own';
}

function letterOf(index: number): string {
  const last = String.fromCharCode(65 + (index % 26));
  return index < 26 ? last : letterOf(Math.floor(index / 26) - 1) + last;
}
