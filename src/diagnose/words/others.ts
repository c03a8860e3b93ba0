/** The words of names that no change stands for: what a kernel's facts or the search itself bring about. */
import { printable } from '../../text.js';
import type { CauseEvidence } from '../evidence.js';
import type { CauseWords } from './causeWords.js';
import { runtimeForm } from './fixes.js';

export const others: { readonly [C in 'kernel-defect' | 'inherited']: CauseWords<CauseEvidence[C]> } = {
  'kernel-defect': runtimeForm(
    'a known defect of the runtime',
    'The runtime is wrong by its own documents: another release, or another resolver, is right.',
  ),
  inherited: {
    title: (e) => (e.from === undefined ? 'inherited from its input' : `inherited from ${printable(e.from)}`),
    explanation: (e) =>
      e.values === undefined
        ? 'Exact on its own input; it differs only since its input does.'
        : 'Part of what differs came with its input, which differs already.',
    fix: () => null,
  },
};
