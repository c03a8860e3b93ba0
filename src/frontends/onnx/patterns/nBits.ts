/** com.microsoft's MatMulNBits: weights of few bits, with a scale a block. */
import type { Pattern } from '../draft.js';
import { isMicrosoft } from '../graph.js';
import { nBits as draftOf } from '../nBits/drafts.js';

export const nBits: Pattern = {
  ops: ['MatMulNBits'],
  match: async (node, context) => (isMicrosoft(node, 'MatMulNBits') ? [draftOf(node, context)] : null),
};
