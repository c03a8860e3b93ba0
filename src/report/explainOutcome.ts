/** What explains a value, in words: the last lines of explain. */
import type { ExplainDocument } from '../documents/explain.js';
import { printable } from '../text.js';
import type { ReportOptions } from './reporter.js';
import { prose } from './words/prose.js';

export function outcomeLines(document: ExplainDocument, options: ReportOptions): string[] {
  const { columns, captured, causes, candidate_input_codes_differ: otherCodes } = document;
  const beside = [orderText(document), otherCodes ? onOwnInput(document) : null].filter((line) => line !== null);
  const own = candidateOutcome(document);
  if (captured === null) return [...(own ? [own] : []), ...beside].flatMap((line) => prose({ options }, line));
  const explaining = columns.filter(({ explains }) => explains).map(({ kernel }) => kernel);
  const isInside = columns.every(({ explains, value }) => !explains || !Object.is(value + 0, captured + 0));
  // of one column no other kernel was asked
  const one = columns.length === 1 ? columns[0].kernel : null;
  const named = causes.filter((cause) => cause !== 'unexplained');
  const text =
    explaining.length > 0
      ? `${explaining.join(', ')} ${explaining.length === 1 ? 'gives' : 'give'} the captured value${isInside ? ' inside the error that float32 leaves' : ''}${explaining.includes(columns[0].kernel) ? '' : `: ${named.join(' + ')}`}`
      : named.length > 0
        ? `${one === null ? 'no kernel alone gives' : `${one} does not give`} the captured value; the layer's diagnosis: ${named.join(' + ')}`
        : `${one === null ? 'no kernel gives' : `${one} does not give`} the captured value: unexplained`;
  return [text, ...(own ? [own] : []), ...beside].flatMap((line) => prose({ options }, line));
}

/** What the comparison found of the whole layer; null: the value is the expected one, or nothing was found. */
function candidateOutcome(document: ExplainDocument): string | null {
  const { candidate, captured, columns, candidate_causes: causes = [] } = document;
  if (candidate === null || candidate === (captured ?? columns[0].value) || causes.length === 0) return null;
  if (causes.join() === 'unexplained') return `the candidate's ${candidate} is unexplained`;
  return `the candidate's ${candidate}, by the layer's diagnosis: ${causes.join(' + ')}`;
}

/** The value that is shown is not the one that stands there. */
function orderText({ candidate_order: order }: ExplainDocument): string | null {
  return order === undefined
    ? null
    : `the candidate's values stand in another order (${printable(order)}): its value here is the one that belongs here`;
}

/** Whether the candidate departs here, or further up. */
function onOwnInput({ candidate, candidate_column: own, candidate_input_codes_differ: count, input }: ExplainDocument) {
  const read = `${count} of ${input.features} input codes are others`;
  if (candidate === null) return `the candidate read another input: ${read}`;
  return own!.explains
    ? `the candidate's ${candidate} follows from what it read (${read}): ${own!.kernel} gives it on that input too; look at the layers before`
    : `the candidate read another input (${read}), and departs here as well: ${own!.kernel} gives ${own!.value} on that input, it has ${candidate}`;
}
