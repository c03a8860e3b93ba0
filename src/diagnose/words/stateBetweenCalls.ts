/** Who keeps what a call has left for the next, and who begins anew: found by replaying all calls. */
import type { CauseEvidence } from '../finding/evidence.js';
import type { CauseWords } from './causeWords.js';
import { inC } from './code.js';

export const stateBetweenCalls: CauseWords<CauseEvidence['state-between-calls']> = {
  title: (e) => (isKept(e) ? 'the state of the call before is kept' : 'the state begins anew with each call'),
  explanation:
    'The layer reads what the call before has left; one side resets that before each call, and the other does not.',
  evidence: (e) => [e.found === undefined ? null : `found: ${e.found}`],
  fix: (e, context) => {
    if (context.subject === 'candidate')
      return isKept(e)
        ? 'reset the state before each call (TFLite: reset_all_variables, TFLite Micro: Reset)'
        : 'keep the state from call to call, the samples in their order';
    return isKept(e)
      ? 'say in the capture\'s producer "settings": {"reset_variables": false}, or reset the variables before each call'
      : 'say in the capture\'s producer "settings": {"reset_variables": true} (qdiff_tflite.py --reset), or keep the state';
  },
  code: (e, context) =>
    context.subject === 'candidate' && isKept(e) ? [inC('interpreter.Reset(); // before each Invoke()')] : [],
};

const isKept = ({ state }: { readonly state?: 'kept' | 'anew' }) => state === 'kept';

/** The same in words. */
export const [KEPT, ANEW] = ['what a call leaves is kept for the next', 'each call begins anew'];
