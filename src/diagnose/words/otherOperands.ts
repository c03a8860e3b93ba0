/** The words of a layer that does what the file says, with other operands than the file's. */
import { dimsText } from '../../tensor/shape.js';
import { listed, printable } from '../../text.js';
import type { CauseEvidence, OtherAxes, OtherOperand } from '../finding/evidence.js';
import type { CauseWords } from './causeWords.js';
import { decidingSentence, fileOf, operands } from './parts.js';

export const operandWrong: CauseWords<CauseEvidence['operand-wrong']> = {
  title: (e) => operandText(e),
  explanation: (e) =>
    e.samples
      ? "Every value follows from the operand of another sample: it is not renewed with its own sample's."
      : 'Every value follows from other operands than those of the file.',
  ofOneLayer: true,
  evidence: (e, context) => [
    decidingSentence(e.deciding, context),
    e.or?.length ? `as good: ${listed(e.or.map(operandText), 4)}` : null,
  ],
  fix: (e, context) => {
    const declared = namesOf(e.declared);
    if (context.subject === 'candidate')
      return `read ${declared} as ${operands(e.inputs)} of ${printable(context.layer)}${e.samples ? ', of the same sample' : ', as the file says'}`;
    const found = e.found ? `: ${namesOf(e.found)} as ${operands(e.inputs)}` : '';
    return `correct "input" of ${printable(context.layer)} in ${fileOf(context)}${found}`;
  },
};

/** "reads conv1 as input 1 in place of conv2". */
function operandText({ inputs, declared, found, codes, left_out, samples }: Partial<OtherOperand>): string {
  const [own, which] = [namesOf(declared), operands(inputs)];
  if (left_out) return `${which} (${own}) left out`;
  if (samples) return `${which} (${own}) of ${samples === 'first' ? 'the first sample for all' : 'the sample before'}`;
  if (!found) return 'reads other operands';
  const as = codes ? ', with the scale and zero point of that' : '';
  if (found.length > 1)
    return `operands in another order: ${namesOf(found)}${codes ? ', each with the scale of its place' : ''}`;
  return `reads ${namesOf(found)} as ${which} in place of ${own}${as}`;
}

function namesOf(names: readonly string[] | undefined): string {
  return names
    ? listed(
        names.map((name) => printable(name)),
        6,
      )
    : 'what the file says';
}

export const axisWrong: CauseWords<CauseEvidence['axis-wrong']> = {
  title: (e) => axesText(e),
  explanation: 'Every value follows from the same operands, taken along other axes than those of the file.',
  ofOneLayer: true,
  evidence: (e, context) => [
    decidingSentence(e.deciding, context),
    e.or?.length ? `as good: ${listed(e.or.map(axesText), 4)}` : null,
  ],
  fix: (e, context) => {
    const whose = e.inputs ? `${operands(e.inputs)} of ${printable(context.layer)}` : printable(context.layer);
    if (context.subject === 'candidate')
      return `take ${whose} along the axes of the file${e.declared === undefined ? '' : `: ${printable(e.declared)}`}`;
    return `correct the axes of ${whose} in ${fileOf(context)}`;
  },
};

/** "input 1 as [1, 24, 1] in place of [24, 1, 1]". */
function axesText({ inputs, declared, found, order, memory }: Partial<OtherAxes>): string {
  if (found === undefined || declared === undefined) return 'along other axes';
  const [own, other] = [printable(declared), printable(found)];
  if (!inputs) return `along ${other} in place of ${own}`;
  const which = operands(inputs);
  if (memory) return `${which} (${own}) read as if its memory were ${other}`;
  if (order) return `${which} (${own}) with its axes in the order ${dimsText(order)}`;
  if (!other.startsWith('[')) return `${which} (${own}) taken as ${other}`;
  return `${which} as ${other} in place of ${own}`;
}
