/** The words of names that no change stands for: what a kernel's facts or the search itself bring about. */
import { dimsText } from '../../tensor/shape.js';
import { counted, listed, printable } from '../../text.js';
import type { CauseEvidence } from '../finding/evidence.js';
import type { CauseWords, FixContext } from './causeWords.js';
import { inC, numpy, rtl } from './code.js';
import { axisWrong, operandWrong } from './otherOperands.js';
import { runSettings } from './runSettings.js';
import { stateBetweenCalls } from './stateBetweenCalls.js';

type Other =
  | 'inherited'
  | 'memory-reused'
  | 'run-settings'
  | 'state-between-calls'
  | 'steps-fused'
  | 'operand-wrong'
  | 'axis-wrong'
  | 'output-order';

export const others: { readonly [C in Other]: CauseWords<CauseEvidence[C]> } = {
  inherited: {
    title: (e) => (e.from === undefined ? 'inherited from its input' : `inherited from ${printable(e.from)}`),
    explanation: (e) =>
      e.values === undefined
        ? 'Exact on its own input; it differs only since its input does.'
        : 'Part of what differs came with its input, which differs already.',
    fix: () => null,
  },
  'run-settings': runSettings,
  'state-between-calls': stateBetweenCalls,
  'steps-fused': {
    title: 'computed in other steps, with other roundings between',
    explanation: 'One side rounds to codes between steps that the other computes in one.',
    evidence: (e) => [e.declared === undefined ? null : `${e.declared}; the other side ${e.found}`],
    fix: () => null,
  },
  'operand-wrong': operandWrong,
  'axis-wrong': axisWrong,
  'output-order': {
    title: (e) =>
      `${e.beside || e.unknown ? '' : 'right '}values in other places${e.order === undefined ? '' : `: ${printable(e.order)}`}`,
    explanation: (e) =>
      e.beside
        ? 'What was written stands in another order than the file says; put back, the rest is what differs.'
        : e.unknown
          ? 'Every value that was moved is one that the layer computes, at another place of what was written.'
          : 'Every value is one that the layer computes, at another place of what was written: the arithmetic is right.',
    ofOneLayer: true,
    evidence: (e) => [
      e.unknown
        ? `${counted(e.unknown, 'value')} of what was written ${e.unknown === 1 ? 'is' : 'are'} of no place of the layer: nothing says whether ${e.unknown === 1 ? 'it is' : 'they are'} right`
        : null,
    ],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `write the values in the order of the file: samples first, then ${dimsText(e.dims ?? [])}`
        : `capture ${printable(context.layer)} again with its values in the order of the file: samples first, then ${dimsText(e.dims ?? [])}`,
    code: (e, context) => {
      if (e.numpy === undefined) return [];
      const undone = [numpy(e.numpy)];
      if (context.subject !== 'candidate' || !e.dims || e.dims.length > 4) return undone;
      const address = addressOf(e.dims, e.channel_axis);
      return [...undone, inC(`y[${address}] = q;`), rtl(`y[${address}] <= q;`)];
    },
  },
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

/** "((n * 12 + oy) * 12 + ox) * 8 + c": where a value of an image, or of a row, belongs in C order. */
function addressOf(dims: readonly number[], channelAxis = dims.length - 1): string {
  const places = ['oz', 'oy', 'ox'].slice(-(dims.length - 1 || 3));
  const names = dims.map((_, axis) => (axis === channelAxis ? 'c' : places.shift()!));
  return dims.reduce((text, size, axis) => `${axis > 0 ? `(${text})` : text} * ${size} + ${names[axis]}`, 'n');
}

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
