/** Values that are no numbers: said before any count. */
import type { Evidence, NotFiniteValue } from '../../diagnose/finding/evidence.js';
import { frameworkName } from '../../diagnose/finding/frameworks.js';
import { holdingSentence } from '../../diagnose/words/notFinite.js';
import type { LayerReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';

/** The values of a layer that hold NaN or infinity, where it differs by them. */
export function notFiniteIn({ diagnosis }: LayerReport): readonly NotFiniteValue[] {
  return (diagnosis?.evidence as Evidence | undefined)?.unexplained?.not_finite ?? [];
}

/** "NaN, inf", "NaN in its input". */
export function kindsHeld(held: readonly NotFiniteValue[]): string {
  const words = held.map(({ of, nan, inf }) => {
    const kinds = [nan && 'NaN', inf && 'inf'].filter(Boolean).join(', ');
    return of === 'input' ? `${kinds} in its input` : kinds;
  });
  return words.join('; ');
}

/** "2: the capture holds NaN (1 value: sample 3, channel 4)". */
export function notFiniteSentences(report: Report): string[] {
  const framework = frameworkName(report.framework);
  const sides = [
    { layers: report.layers, side: framework ? `the capture (${framework})` : 'the capture' },
    { layers: report.candidate_layers ?? [], side: 'the candidate' },
  ];
  return sides.flatMap(({ layers, side }) =>
    layers.flatMap((layer) => {
      const held = notFiniteIn(layer);
      if (held.length === 0) return [];
      const own = held[0].of === 'output' ? `${side} ` : `${side}: `;
      return [`${printable(layer.name)}: ${own}${holdingSentence(held)}`];
    }),
  );
}
