/** A page's findings as cards, in the order in which one wants to read them. */
import { differs } from '../compare/judged.js';
import { field } from '../load/json.js';
import type { LayerReport, Report } from '../nouns/report.js';
import { largestOf } from '../numeric/extremes.js';
import { counted } from '../text.js';
import { hasReals, largestWithShare } from './words/differences.js';
import { type Finding, fixesSaidOnce } from './words/finding.js';
import { findings } from './words/findings.js';
import { causesOf } from './words/verdict.js';

export interface Card {
  readonly finding: Finding;
  /** Its own; who is as declared comes after who departs. */
  readonly headlines: readonly string[];
  /** A, B, ... Z, AA; an arrow down for what only comes with the input. */
  readonly letter: string;
  readonly kind: 'unexplained' | 'own' | 'inherited';
  /** Values that differ in its layers. */
  readonly values: number;
  /** "74 steps"; of floats alone "0.0123 (0.35% of its range)". */
  readonly worst: string;
}

const ORDER = ['unexplained', 'own', 'inherited'] as const;

/** What nothing explains comes first, then what one can mend, by the values that it moves; what is inherited mends itself. */
export function cardsOf(report: Report): Card[] {
  const cards = findings(report, differs).map((finding) => {
    const values = finding.layers.reduce((sum, { mismatched }) => sum + (mismatched ?? 0), 0);
    const worst = worstOf(finding.layers);
    const headlines = [...finding.headlines]
      .map(withCommas)
      .sort((a, b) => Number(isDeclared(a)) - Number(isDeclared(b)));
    return { finding, headlines, kind: kindOf(finding.layers, report), values, worst };
  });
  cards.sort((a, b) => ORDER.indexOf(a.kind) - ORDER.indexOf(b.kind) || moved(b) - moved(a));
  const told = fixesSaidOnce(
    cards.map(({ finding }) => finding),
    (_, first) => `in ${letterOf(first)}`,
  );
  return cards.map((card, i) => ({
    ...card,
    finding: told[i],
    letter: card.kind === 'inherited' ? '↓' : letterOf(i),
  }));
}

/** Values that a finding's own causes move, where they are counted: a layer may have 1 of its own among thousands that it read. */
function moved({ finding }: Pick<Card, 'finding'>): number {
  return finding.layers.reduce((sum, { mismatched, diagnosis }) => {
    const own = (diagnosis?.causes ?? []).filter((cause) => cause !== 'inherited');
    const counts = own.flatMap((cause) => valuesIn(diagnosis!.evidence[cause]));
    return sum + (counts.length > 0 ? largestOf(counts) : (mismatched ?? 0));
  }, 0);
}

function valuesIn(evidence: unknown): number[] {
  const values = field(evidence, 'values');
  return typeof values === 'number' ? [values] : [];
}

/** "(18,557 values)", and at the beginning; elsewhere may stand a name. */
function withCommas(headline: string): string {
  return headline.replace(/(?:^|(?<=\())\d{4,}(?= values\b)/g, (count) => Number(count).toLocaleString('en-US'));
}

/** "PyTorch: as declared (onednn)" */
export function isDeclared(headline: string): boolean {
  return /: as declared(?: \(.*\))?$/.test(headline);
}

/** Codes before floats: their units do not compare. */
function worstOf(layers: readonly LayerReport[]): string {
  const inUnits = layers.filter((layer) => !hasReals(layer));
  if (inUnits.length === 0) {
    return largestWithShare(layers.reduce((most, one) => (one.max_abs_real! > most.max_abs_real! ? one : most)));
  }
  const largest = inUnits.reduce((most, { max_abs_diff: size }) => Math.max(most, size ?? 0), 0);
  return inUnits[0].unit === 'ulp' ? `${largest} ULP` : counted(largest, 'step');
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
