import { precise } from '../../text.js';
import { scriptsToNearest, shrunkOneOf, stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { DecidingValue, RuntimeForm, SomeChannels } from '../finding/evidence.js';
import { isTensorStudy } from '../study/study.js';
import { numpy } from '../words/code.js';
import { runtimeForm } from '../words/fixes.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    'kernel-defect': SomeChannels &
      RuntimeForm & {
        /** Of PReLU: what 1.0 is among the codes of its slopes. */
        readonly one?: number;
        readonly deciding?: DecidingValue;
      };
  }
}

const ofRuntime = runtimeForm(
  'a known defect of the runtime',
  'The runtime is wrong by its own documents: another release, or another resolver, is right.',
);

/** Who computes what a runtime says it computes, and does not: PyTorch's PReLU. Others are found as whole kernels. */
export const kernelDefect: Cause<'kernel-defect', 'tensor'> = {
  code: 'kernel-defect',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && shrunkOneOf(study) !== null],
  whose: 'kernel',

  changes: (study) =>
    [false, true]
      .flatMap((first) => scriptsToNearest(study, first))
      .map((steps) => stepsChange('kernel-defect', 'multiplier', steps, { one: shrunkOneOf(study)! })),

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: {
    ...ofRuntime,
    title: (e) =>
      e.one === undefined
        ? 'a known defect of the runtime'
        : `positive values as they are, not times ${precise(e.one)} as PyTorch has them`,
    explanation: (e) =>
      e.one === undefined
        ? 'The runtime is wrong by its own documents: another release, or another resolver, is right.'
        : "PyTorch multiplies positive values by the code of 1.0 among its slopes; slopes below 1 have no such code, and the largest is taken. That is PyTorch's defect.",
    evidence: (e, context) => [
      ...(e.one === undefined ? ofRuntime.evidence!(e, context) : []),
      e.one === undefined ? null : `1.0 is ${precise(e.one)} among the slopes' codes`,
      decidingSentence(e.deciding, context),
    ],
    fix: (e, context) =>
      e.one === undefined
        ? ofRuntime.fix(e, context)
        : `multiply positive values by ${precise(e.one)} too, as long as PyTorch is to be met (right are yours: a PReLU in float has no such codes)`,
    code: (e, context) =>
      e.one === undefined
        ? ofRuntime.code!(e, context)
        : [numpy(`real = np.where(x > 0, ${precise(e.one)} * x, slope * x)`)],
  },
};
