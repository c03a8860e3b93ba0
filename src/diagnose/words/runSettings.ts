/** The same kernel on both sides, run with other settings: threads that share a call, another CPU, another release. */
import { counted } from '../../text.js';
import type { CauseEvidence } from '../finding/evidence.js';
import type { CauseWords } from './causeWords.js';

export const runSettings: CauseWords<CauseEvidence['run-settings']> = {
  title: (e) => {
    if (e.samples === undefined) return 'the same kernel, run with other settings';
    return e.samples === 1
      ? 'each sample of a call takes a range of its own'
      : `${counted(e.samples, 'sample')} of a call take a range together`;
  },
  explanation: (e) =>
    e.samples === undefined
      ? 'What the kernel computes depends on what it runs on.'
      : 'What a step reads is quantized by the range of the samples that a thread has; threads share a call.',
  evidence: (e) => [e.found === undefined ? null : `as of ${e.found}; declared: ${e.declared}`],
  fix: (e, { subject }) => {
    if (e.samples === undefined) return subject === 'candidate' ? 'run both sides alike' : null;
    return subject === 'candidate'
      ? `take one range at each step over the samples that a thread of the capture has (${e.declared})`
      : `capture again with ${e.declared}, or declare what it ran with (${e.found})`;
  },
};
