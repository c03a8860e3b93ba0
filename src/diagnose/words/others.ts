/** The words of names that no change stands for: what a kernel's facts or the search itself bring about. */
import { counted, listed, printable } from '../../text.js';
import type { CauseEvidence } from '../evidence.js';
import type { CauseWords, FixContext } from './causeWords.js';
import { runtimeForm } from './fixes.js';
import { axisWrong, operandWrong } from './otherOperands.js';

type Other = 'kernel-defect' | 'inherited' | 'memory-reused' | 'steps-fused' | 'operand-wrong' | 'axis-wrong';

export const others: { readonly [C in Other]: CauseWords<CauseEvidence[C]> } = {
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
  'steps-fused': {
    title: 'computed in other steps, with other roundings between',
    explanation: 'One side rounds to codes between steps that the other computes in one.',
    evidence: (e) => [e.declared === undefined ? null : `${e.declared}; the other side ${e.found}`],
    fix: () => null,
  },
  'operand-wrong': operandWrong,
  'axis-wrong': axisWrong,
  'memory-reused': {
    title: 'values read after their memory was used again',
    explanation:
      'Values that are no longer needed give their memory to later ones: what is read at the end is what those left there. No arithmetic is wrong.',
    evidence: (e) => [
      e.over
        ? `what is not as replayed from the model's inputs is, byte for byte, ${listed(e.over.map(placeText), 4)}`
        : null,
      e.left === undefined
        ? null
        : `${counted(e.left, 'value')} more ${e.left === 1 ? 'is' : 'are'} of no layer, as a kernel's working memory is; what was computed from it is right`,
      e.input === undefined
        ? null
        : `its own values are right, ${printable(e.input)} is what was read too late: on the replay's all are equal`,
    ],
    fix: (_e, context) => {
      if (isLite(context))
        return 'capture with qdiff exporter tflite, or with Interpreter(..., experimental_preserve_all_tensors=True)';
      return context.subject === 'capture' && context.framework === 'PyTorch'
        ? 'copy each value when its layer has run: .clone() in the hook'
        : 'write each value out when its layer has run, or give it memory of its own';
    },
    code: (_e, context) => (isLite(context) ? [{ where: 'the capture', language: 'python', text: PRESERVE }] : []),
  },
};

const PRESERVE = 'Interpreter(model_path=path, experimental_preserve_all_tensors=True)';

/** A capture by an interpreter with an arena. */
function isLite({ subject, framework }: FixContext): boolean {
  return subject === 'capture' && ['LiteRT', 'TFLite', 'TensorFlow'].includes(framework ?? '');
}

/** "dense (from its byte 16 on)": where a value begins that stands elsewhere. */
function placeText({ layer, distance }: { readonly layer: string; readonly distance: number }): string {
  if (distance === 0) return printable(layer);
  return distance > 0
    ? `${printable(layer)} (from its byte ${distance} on)`
    : `${printable(layer)} (${-distance} bytes in)`;
}
