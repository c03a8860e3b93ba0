import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { hasCases } from '../alternatives/cases.js';
import { type ActivationForm, activationForms, plainForms } from '../alternatives/functions/activations.js';
import type { Cause } from '../cause.js';
import { convertsIn, writesCodes } from '../facts.js';
import type { SomeChannels } from '../finding/evidence.js';
import { type Change, FREEDOM, type Setup } from '../setup.js';
import type { Study } from '../study/study.js';
import { clampTo, inC, numpy } from '../words/code.js';
import { activationRange } from './relu.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'activation-function': SomeChannels & {
      readonly function?: string;
      /** Of codes that are rounded by then: how they are rounded again. */
      readonly again?: string;
      /** The codes that the layer's own activation clamps to, a ReLU or a ReLU6; absent: it has none. */
      readonly declared?: readonly [lo: number, hi: number];
    };
  }
}

/** Of fewer values one of a hundred functions gives each by chance. */
const FEWEST = 16;

/** In a range of few codes most of them give what is observed. */
const FEWEST_CODES = 8;

/** A leaky ReLU, a hardswish, a sigmoid ... is fused into a layer that has none, or a ReLU. */
export const activationFunction: Cause<'activation-function'> = {
  code: 'activation-function',
  kinds: ['product', 'elementwise'],
  needs: [writesCodes, ({ free, data }) => free && !data.dynamic, ({ declared }) => mayHaveOne(declared)],
  whose: 'kernel',
  // a hundred forms: of noise not one is tried
  afterSums: true,
  // its step in place of the rounding multiplies, applies the function and rounds
  ownWords: true,
  estimate: (study, base) => {
    const { declared } = study;
    const { output } = declared.params;
    if (
      base !== declared ||
      !isQuantized(output) ||
      !hasCases(study as Study, FEWEST) ||
      codesMet(study) < FEWEST_CODES
    )
      return [];
    const fits = ({ apply }: ActivationForm) => study.agreesOnSubset(apply(declared));
    if (plainForms(declared, output).some(fits)) return [];
    const range = activationRange(declared);
    return distinct(activationForms(declared, output).filter(fits)).map(
      ({ function: name, again, apply }): Change => ({
        cause: 'activation-function',
        coordinate: 'round',
        freedom: FREEDOM.none,
        label: again ? `${name}, ${again}` : name,
        found: { function: name, ...(again && { again }), ...(range && { declared: range }) },
        apply,
      }),
    );
  },

  words: {
    title: (e) => {
      const which = `${e.declared ? 'another' : 'an'} activation: ${e.function === undefined ? 'unknown' : printable(e.function)}`;
      return e.again ? `${which}, of rounded codes` : which;
    },
    explanation: (e) =>
      `${e.declared ? `The layer's activation clamps codes to ${rangeText(e.declared)}` : 'The layer has no activation'}; what is observed passed another function.`,
    evidence: (e) => [e.again ? `codes are rounded first, and ${e.again} again` : null],
    fix: (e) =>
      e.declared
        ? `clamp codes to ${rangeText(e.declared)}, and leave the other function out`
        : 'hand in the values before the activation, or leave it out',
    code: (e) =>
      e.declared
        ? clampTo(...e.declared)
        : [
            numpy('q = np.rint(v).astype(np.int32) + y_zero_point  # no function of v or q'),
            inC('q = (int32_t)rintf(v) + Y_ZERO_POINT;  /* no function of v or q */'),
          ],
  },
};

/** Codes that are observed; all of them: a leaky ReLU of 0.01 leaves two or three of what is negative. */
function codesMet({ subset: { observed } }: Study): number {
  const met = new Set<number>();
  for (let i = 0; i < observed.length && met.size < FEWEST_CODES; i++) met.add(observed[i]);
  return met.size;
}

const rangeText = ([lo, hi]: readonly [number, number]) => `${lo}..${hi}`;

/** What no value tells apart is said once: codes that are clamped before, or not. */
function distinct(forms: readonly ActivationForm[]): ActivationForm[] {
  const isFirst = (form: ActivationForm, i: number) =>
    forms.findIndex((own) => own.function === form.function && own.again === form.again) === i;
  return forms.filter(isFirst);
}

/** A clamp of codes that is a ReLU, or a product. */
function mayHaveOne(setup: Setup): boolean {
  if (setup.kind === 'product') return true;
  return setup.kind === 'elementwise' && !convertsIn(setup) && setup.params.clamp?.lower === 0;
}
