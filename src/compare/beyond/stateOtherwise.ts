/** A layer that keeps a state: the same arithmetic where each call begins anew, or, where the capture says that it does, is kept. */

import type { CauseEvidence } from '../../diagnose/finding/evidence.js';
import { ANEW, KEPT } from '../../diagnose/words/stateBetweenCalls.js';
import { tensorSteps } from '../../kernels/kernel.js';
import type { Kernel } from '../../nouns/kernel.js';
import { keepsState, type Layer, type Producer } from '../../nouns/model.js';
import { beginsAnew } from '../../replay/wholeCalls.js';

/** Null: it keeps none. */
export function withStateOtherwise(kernel: Kernel, layer: Layer): Kernel | null {
  const steps = tensorSteps(kernel, layer);
  if (!steps?.state) return null;
  const own = { ...steps, state: { ...steps.state, otherwise: true } as const };
  return { ...kernel, ops: { ...kernel.ops, [layer.op]: own } };
}

type StateEvidence = CauseEvidence['state-between-calls'];

/** Of whom it is found to be otherwise than the producer says. */
export function stateEvidence(producer: Producer): StateEvidence {
  const declared = beginsAnew(producer);
  return { state: declared ? 'kept' : 'anew', declared: inWords(declared), found: inWords(!declared) };
}

/** Of two captures; null: both keep what calls leave, or neither does. */
export function statesOf(layer: Layer, producers: readonly [Producer, Producer]) {
  if (!keepsState(layer)) return null;
  const [isReset, other] = producers.map((producer) => beginsAnew(producer));
  if (isReset === other) return null;
  const word = (anew: boolean) =>
    anew ? 'computes each call from its first state' : 'computes each call on what the one before has left';
  const agree = isReset
    ? 'reset the variables before each call (qdiff_tflite.py --reset)'
    : 'reset no variables between calls';
  const state: StateEvidence['state'] = other ? 'anew' : 'kept';
  return { words: [word(isReset), word(other)] as const, state, agree };
}

const inWords = (isReset: boolean) => (isReset ? ANEW : KEPT);
