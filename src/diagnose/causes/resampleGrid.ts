import { printable } from '../../text.js';
import { formOf, scriptsOfMixes, variantChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { AnotherRule, CauseEvidence, RuntimeForm, SomeChannels } from '../finding/evidence.js';
import type { TensorSetup } from '../setup.js';
import { isTensorStudy } from '../study/study.js';
import { runtimeForm } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'resample-grid': SomeChannels & RuntimeForm & AnotherRule;
  }
}

/** An interpolation by another mode, corner or half-pixel rule, of the same output size. */
export const resampleGrid: Cause<'resample-grid', 'tensor'> = {
  code: 'resample-grid',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && formOf(study)?.grids !== undefined],
  whose: 'model',

  changes: (study) =>
    (formOf(study)?.grids?.(study.declared.params.attributes) ?? []).flatMap((variant) => {
      const change = variantChange('resample-grid', 'weights', variant);
      const rounded = scriptsOfMixes(study).map((steps) => ({
        ...change,
        label: `${change.label}, ${steps.equation}`,
        apply: (setup: TensorSetup): TensorSetup => ({ ...change.apply(setup), steps }),
      }));
      return [change, ...rounded];
    }),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: runtimeForm(
    (e: CauseEvidence['resample-grid']) =>
      `resized on another grid${e.rule === undefined ? '' : ` (${printable(e.rule)})`}`,
    'Positions and weights of the neighbours are rounded otherwise, or follow from another mode, corner or half-pixel rule.',
    (e, context) => [decidingSentence(e.deciding, context)],
  ),
};
