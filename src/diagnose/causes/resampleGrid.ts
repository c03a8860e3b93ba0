import { halfEven, halfUp } from '../../kernels/steps/round.js';
import type { ResampleAttributes } from '../../nouns/attributes.js';
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
    'resample-grid': SomeChannels &
      RuntimeForm &
      AnotherRule & {
        /** The grid is the file's: neighbours are weighed by integers. */
        readonly weights?: 'integers';
        /** Where the file finds a place o of the output in the input. */
        readonly places?: string;
      };
  }
}

const RUNTIMES = runtimeForm(
  (e: CauseEvidence['resample-grid']) =>
    e.weights !== undefined
      ? `neighbours weighed by integers (${printable(e.rule ?? '')})`
      : `resized on another grid${e.rule === undefined ? '' : ` (${printable(e.rule)})`}`,
  'Positions and weights of the neighbours are rounded otherwise, or follow from another mode, corner or half-pixel rule.',
  (e, context) => [decidingSentence(e.deciding, context)],
);

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

  evidence: (found) => {
    const { attributes } = found.study.declared.params;
    const { rule, weights } = (found.change.found ?? {}) as Partial<CauseEvidence['resample-grid']>;
    const isOther = rule !== undefined && weights === undefined;
    return { deciding: decidingValue(found), ...(isOther && { places: placesOf(attributes as ResampleAttributes) }) };
  },

  words: {
    ...RUNTIMES,
    fix: (e, context) =>
      context.subject === 'candidate' && e.places !== undefined
        ? `take place o of the output from ${e.places} of the input, along each axis`
        : RUNTIMES.fix(e, context),
  },
};

/** As one writes it in a program. */
function placesOf({
  mode,
  alignCorners,
  halfPixelCenters,
  asymmetric = false,
  scaleFactor,
  recomputed,
}: ResampleAttributes) {
  const isHalf = halfPixelCenters ?? (mode === 'nearest-exact' || (!asymmetric && mode !== 'nearest'));
  const [factor] = scaleFactor ?? [];
  const step = alignCorners ? '(in - 1) / (out - 1)' : factor && !recomputed ? `1 / ${factor}` : 'in / out';
  if (mode.startsWith('nearest'))
    return alignCorners ? `round(o * ${step})` : `floor(${isHalf ? '(o + 0.5)' : 'o'} * ${step})`;
  return isHalf && !alignCorners ? `max((o + 0.5) * ${step} - 0.5, 0)` : `o * ${step}`;
}

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
    return {
      ...change,
      // real weights, which all have, come first
      rare: true as const,
      ...(variant.ofGrid && { found: { ...change.found, weights: 'integers' } }),
      apply: (setup: TensorSetup): TensorSetup => ({ ...change.apply(setup), steps }),
    };
  });
}
