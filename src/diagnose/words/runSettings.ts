/** The same kernel on both sides, run by other settings: threads that share a call, vectors of the CPU, a release. */
import type { CauseEvidence } from '../finding/evidence.js';
import type { CauseWords } from './causeWords.js';

export const runSettings: CauseWords<CauseEvidence['run-settings']> = {
  title: (e) =>
    e.threads === undefined ? 'the same kernel, run with other settings' : `each call shared as ${e.found} would`,
  explanation: (e) =>
    e.threads === undefined
      ? 'The kernel rounds as it is run: vectors and what is left of them are computed differently, and releases differ.'
      : 'Threads share the samples of a call, and each quantizes what it reads by the range of its own share.',
  evidence: (e) => [e.declared === undefined ? null : `declared: ${e.declared}`],
  fix: (e, context) => {
    if (e.threads === undefined) return context.subject === 'candidate' ? 'run both sides alike' : null;
    return context.subject === 'candidate'
      ? `run as many threads as the capture did (${e.declared}), or take each range over as many samples as one of them has`
      : `say "threads": ${e.threads} in the capture's producer`;
  },
  code: (e, context) =>
    context.subject === 'candidate' || e.threads === undefined
      ? []
      : [{ where: 'the capture', language: 'json', text: `"threads": ${e.threads}` }],
};
