/** A finding about layers whose numbers the candidate's own model file says otherwise: all of them, for one reason. */
import type { DiagnosisReport, Report } from '../../nouns/report.js';
import { printable } from '../../text.js';
import type { Side } from './ofItsOwn.js';

/** What a file says, by the cause that its difference makes. */
const NUMBERS: ReadonlyMap<string, string> = new Map([
  ['output-scale-wrong', 'scales'],
  ['output-zero-point-wrong', 'zero points'],
  ['weight-scale-wrong', 'weight scales'],
  ['input-scale-wrong', 'scales of what is read'],
]);

/** The other file's numbers give all of its values, and nothing else is said of it. */
export function isOfTwoFiles({ diagnosis }: Side, { model_differences: differences }: Report): boolean {
  return differences !== undefined && diagnosis.kernel === null && numbersIn([diagnosis]).length > 0;
}

/** Empty: something else departs too. */
function numbersIn(all: readonly DiagnosisReport[]): string[] {
  const own = [...new Set(all.flatMap(({ causes }) => causes))].filter((cause) => cause !== 'inherited');
  const numbers = [...NUMBERS].flatMap(([cause, number]) => (own.includes(cause) ? [number] : []));
  return numbers.length === own.length ? numbers : [];
}

/** "other scales, zero points, weight scales in model.onnx" */
export function twoFilesTitle(sides: readonly Side[], { model, candidate_model: path }: Report): string {
  const numbers = numbersIn(sides.map(({ diagnosis }) => diagnosis)).join(', ');
  return path === model ? `other ${numbers}, by its session` : `other ${numbers} in ${printable(path ?? '')}`;
}

/** One file that two sessions read is no two files. */
export function twoFilesSaid({ model, candidate_model: path }: Report) {
  if (path === model) {
    return {
      because: 'Its session makes other layers of the file: by those each gives all of these values.',
      toAgree: `yours: ${ONE_SESSION}`,
    };
  }
  return {
    because: 'The files say other numbers: by those of its own file each layer gives all of these values.',
    toAgree:
      'yours: export both files from one quantized model, or expect it and compare each with a capture of its own',
  };
}

const ONE_SESSION = 'run both with the same optimization level and session.* entries';
