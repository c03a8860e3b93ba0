/** What ops that compute each value from one have in common. */
import * as z from 'zod/mini';
import type { ElementwiseForm } from '../../nouns/model.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { printable } from '../../text.js';
import type { Op, RawLayer } from '../op.js';
import { keptOutput, layerFields } from './schema.js';

/** quantize, dequantize, requantize: other parameters come out. */
export const converts: ElementwiseForm = { kind: 'elementwise', clamp: null, keepsParams: false };

export type Bounds = NonNullable<ElementwiseForm['clamp']>;

/** An op that clamps to real bounds, on codes of any parameters, which stay what they are; bounds: null where it clamps nothing. */
export function clamping(
  name: string,
  fields: z.ZodMiniObject['shape'],
  bounds: (layer: RawLayer) => ElementwiseForm['clamp'] | 'wrong',
): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...fields, output: keptOutput() }),
    inputs: [1, 1],
    channels: 'input',
    read(layer) {
      const output = keptParams(layer);
      const clamp = bounds(layer);
      const usable = layer.fields && output && clamp !== 'wrong';
      return usable ? { form: { kind: 'elementwise', clamp, keepsParams: true }, output } : null;
    },
  };
}

/** As declared, or those of what is read. Null after a problem. */
export function ownOrKept(layer: RawLayer): ValueParams | null {
  return layer.fields ? (layer.output ?? keptParams(layer)) : null;
}

/** The parameters of what is read; a file may repeat them. Null after a problem. */
export function keptParams({
  op,
  place: layerPlace,
  inputs: [input],
  output: declared,
  checks,
}: RawLayer): ValueParams | null {
  const place = [...layerPlace, 'output'];
  const kept = input?.params;
  if (declared === undefined || kept === undefined) return null;
  if (kept === null) {
    const got = `got nothing, and its input ${printable(input!.name)} declares none either`;
    if (!declared) checks.problem('output', place, `expected dtype, scale and zero_point, ${got}`);
    return declared;
  }
  if (!declared) return kept;
  if (declared.dtype !== kept.dtype) {
    const got = `got ${declared.dtype}; write op "quantize" or "dequantize" for a change of dtype`;
    checks.problem('output', [...place, 'dtype'], `expected ${kept.dtype}, which ${op} keeps, ${got}`);
    return null;
  }
  if (!isQuantized(declared) || !isQuantized(kept)) return kept;
  if (declared.scale !== kept.scale || declared.zeroPoint !== kept.zeroPoint) {
    const keeps = `${op} keeps its input's scale ${kept.scale} and zero_point ${kept.zeroPoint}`;
    const ignored = `the declared ${declared.scale} and ${declared.zeroPoint} are ignored`;
    checks.warn('output-params', place, `${keeps}; ${ignored}`);
  }
  return { ...kept, quantMin: declared.quantMin, quantMax: declared.quantMax };
}
