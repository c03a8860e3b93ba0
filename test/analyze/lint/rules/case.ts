import { lint } from '../../../../src/analyze/lint/lint.js';
import type { LintFinding } from '../../../../src/documents/lint.js';
import { openCapture, openModel } from '../../../../src/frontends/open.js';
import { memoryFiles } from '../../../support/memoryFiles.js';
import type { Json } from '../../../support/models.js';
import { npy, npz } from '../../../support/npz.js';

/** What a case changes of the layer and its input, and the samples that a capture of it holds. */
export interface Case {
  readonly layer?: Json;
  readonly input?: Json;
  /** Input codes, a row a sample. */
  readonly x?: readonly (readonly number[])[];
  /** Output codes, one a sample. */
  readonly y?: readonly number[];
}

export interface Row {
  readonly code: string;
  /** Which numbers decide. */
  readonly what: string;
  readonly raises: Case;
  readonly nearMiss: Case;
  readonly finds: Pick<LintFinding, 'severity' | 'message'>;
}

/** Two inputs, one channel, multiplier 1/8, accumulator 0..765: no rule finds anything. */
const small = ({ layer, input }: Case) => ({
  format: 'qdiff-model',
  version: 1,
  producer: {},
  inputs: [{ name: 'x', dtype: 'uint8', scale: 1, zero_point: 0, ...input }],
  layers: [
    {
      name: 'fc',
      op: 'linear',
      input: 'x',
      weight: [[1, 2]],
      weight_scale: 0.5,
      output: output(4),
      ...layer,
    },
  ],
});

export function output(scale: number): Json {
  return { dtype: 'uint8', scale, zero_point: 100 };
}

export const int32Bias = (bias: number) => ({ bias: [bias], bias_dtype: 'int32' });

export async function findingsOf(changes: Case): Promise<LintFinding[]> {
  const files = memoryFiles({ 'model.json': JSON.stringify(small(changes)), ...captured(changes) });
  const model = await openModel(files, 'model.json');
  const capture = changes.x ? await openCapture(files, 'capture.npz', model) : null;
  return (await lint(model, capture)).findings;
}

function captured({ input, x, y }: Case): Record<string, Buffer> {
  if (!x) return {};
  const outputs = y ?? x.map((_, sample) => (sample % 2) * 255);
  const arrays = {
    x: npy(input?.dtype ?? 'uint8', [x.length, x[0].length], x.flat()),
    fc: npy('uint8', [x.length, 1], outputs),
  };
  return { 'capture.npz': npz(arrays) };
}
