/** The document of a layer without products: what of a product's it says nothing about is null. */
import type { ExplainColumn, ExplainDocument } from '../../documents/explain.js';
import { isState, type Layer } from '../../nouns/model.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';

interface Plain extends Pick<ExplainDocument, 'channel' | 'sample' | 'captured' | 'candidate'> {
  readonly layer: Layer;
  /** Undefined: it reads a state alone, what another layer gave in the call before. */
  readonly input: ValueParams | undefined;
  /** Its position; undefined where a channel has one value. */
  readonly at?: number[];
  readonly columns: ExplainColumn[];
  readonly firstDifference: string | null;
  readonly causes: readonly string[];
  readonly numpy: string[];
  readonly operands?: ExplainDocument['operands'];
}

export function plainDocument(plain: Plain): ExplainDocument {
  const { layer, input, sample, channel, at, captured, candidate, columns, causes, numpy } = plain;
  return {
    format: 'qdiff-explain',
    version: 1,
    layer: layer.name,
    op: layer.op,
    channel,
    sample,
    ...(at && { at }),
    captured,
    candidate,
    candidate_input_codes_differ: null,
    input: { name: layer.inputs[0] ?? stateOf(layer), ...described(input ?? layer.output!), features: 1 },
    weight: null,
    output: described(layer.output!),
    activation: 'none',
    ...(plain.operands && { operands: plain.operands }),
    products: [],
    columns,
    first_difference: plain.firstDifference,
    causes: [...causes],
    numpy,
  };
}

const stateOf = (layer: Layer) => (isState(layer) && layer.form.assigned) || layer.name;

export function described(params: ValueParams) {
  if (!isQuantized(params)) return { dtype: params.dtype, scale: null, zero_point: null };
  return { dtype: params.dtype, scale: params.scale, zero_point: params.zeroPoint };
}

/** Column of a value without an accumulator, and without a tie. */
export function plainColumn(
  column: Pick<ExplainColumn, 'kernel' | 'steps' | 'value'> & Partial<ExplainColumn>,
  captured: number | null,
): ExplainColumn {
  const { kernel, steps, value, ...own } = column;
  return {
    kernel,
    accumulator: null,
    saturating_pairs: [],
    bias: null,
    bias_accumulator_units: null,
    bias_is_int32: false,
    multiplier: null,
    multiplier_bits: null,
    multiplier_fixed: null,
    fixed_point: false,
    steps,
    before_rounding: null,
    distance_to_tie: null,
    rounded: null,
    zero_point: null,
    clamp: null,
    clamped: false,
    ...own,
    value,
    explains: captured === null ? null : Object.is(value + 0, captured + 0),
  };
}
