import { halfEven, halfUp } from '../../kernels/steps/round.js';
import { printable } from '../../text.js';
import { formOf, scriptsOfMixes, variantChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { AnotherRule, CauseEvidence, RuntimeForm, SomeChannels } from '../finding/evidence.js';
import type { TensorChange, TensorSetup } from '../setup.js';
import { isTensorStudy, type TensorStudy } from '../study/study.js';
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

  changes: (study) => {
    const grids = formOf(study)?.grids?.(study.declared.params.attributes) ?? [];
    const changes = grids.flatMap((variant) => {
      const change = variantChange('resample-grid', 'weights', variant);
      const picked = formOf(study)?.value ? [] : scriptsOfMixes(study, [halfEven, halfUp]);
      const rounded = picked.map((steps) => ({
        ...change,
        label: `${change.label}, ${steps.equation}`,
        apply: (setup: TensorSetup): TensorSetup => ({ ...change.apply(setup), steps }),
      }));
      return [change, ...rounded];
    });
    return [...changes, ...inBits(study)];
  },

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: runtimeForm(
    (e: CauseEvidence['resample-grid']) =>
      `resized on another grid${e.rule === undefined ? '' : ` (${printable(e.rule)})`}`,
    'Positions and weights of the neighbours are rounded otherwise, or follow from another mode, corner or half-pixel rule.',
    (e, context) => [decidingSentence(e.deciding, context)],
  ),
};

/** Of hundreds of such weights one gives a few values by chance. */
const FEWEST = 8;

/** Neighbours weighed by integers, and their sum rounded as a shift does with half of it added. */
function inBits(study: TensorStudy): TensorChange[] {
  const { attributes } = study.declared.params;
  const [steps] = scriptsOfMixes(study, [halfUp]);
  if (!steps || study.mismatches(study.declared) < FEWEST) return [];
  const variants = formOf(study)?.gridsInBits?.(attributes, study.data.whole!.ready.shapes) ?? [];
  return variants.map((variant) => {
    const change = variantChange('resample-grid', 'weights', variant);
    return { ...change, apply: (setup: TensorSetup): TensorSetup => ({ ...change.apply(setup), steps }) };
  });
}
