/** What releases of TFLite's runtimes compute wrongly of a layer, whatever the numbers: replayed as it is, and told before anything runs. */

import { isWithoutTanh } from '../../kernels/steps/tflite/lstm.js';
import { lstmMicro } from '../../kernels/steps/tflite/lstmMicro.js';
import { matmulXnnpack } from '../../kernels/steps/tflite/matmul.js';
import { underflows } from '../../kernels/steps/tflite/products.js';
import { sumReference } from '../../kernels/steps/tflite/reduce.js';
import { delegateTensors, referenceOps } from '../../kernels/tflite.js';
import type { LstmAttributes } from '../../nouns/attributes.js';
import type { TensorSteps } from '../../nouns/kernel.js';
import type { Layer, Release, TensorForm } from '../../nouns/model.js';
import type { ValueParams } from '../../nouns/value.js';
import type { PlacedPatch } from '../../nouns/window.js';
import type { Found } from './rule.js';

export interface ReleaseDefect {
  readonly kernels: readonly string[];
  readonly what: string;
  readonly since: string;
  readonly avoid: string;
}

/** A release's defect as a finding. */
export function ofRelease({ kernels: names, what, since, avoid }: ReleaseDefect): Found<'kernel-defect'> {
  return { severity: 'warning', kernels: names, evidence: { since }, facts: { what, avoid } };
}

/** Of a layer on whole values; inputs: parameters of what it reads. */
export function defectsOfValues(
  { op, output, form, delegates = [] }: Layer,
  inputs: readonly (ValueParams | null)[],
): ReleaseDefect[] {
  const isOf = (ops: typeof referenceOps, steps: TensorSteps) => ops[op] === steps;
  const second = inputs[1] && inputs[1].dtype !== 'float32' ? inputs[1].zeroPoint : 0;
  return [
    ...(isOf(referenceOps, sumReference) && output?.dtype === 'int8' ? [SUM] : []),
    ...(op === 'sequence_lstm' && form?.kind === 'tensor' && isWithoutTanh(form.attributes) ? [withoutTanh(form)] : []),
    ...(isOf(delegateTensors, matmulXnnpack) && delegates.includes('tensorflow-2.21') && second !== 0 ? [MATMUL] : []),
  ];
}

/** Of a product: its patch where it has one, whether its int8 weights have a zero point. */
export function defectsOfProduct(
  { delegates = [], output }: Layer,
  { patch, weightZeroPoint }: { patch?: PlacedPatch; weightZeroPoint: Int32Array },
): ReleaseDefect[] {
  if (!OLD.some((release) => delegates.includes(release))) return [];
  if (patch) return underflows({ patch }) ? [SAME] : [];
  return output?.dtype !== 'uint8' && weightZeroPoint.some((zero) => zero !== 0) ? [WEIGHTS] : [];
}

function withoutTanh(form: TensorForm): ReleaseDefect {
  const instead = (form.attributes as LstmAttributes).input
    ? 'it gives the input gate in its place'
    : 'without an input gate (CIFG) it multiplies by what lies in its memory';
  const calibrate = 'calibrate on data that takes the cell state beyond 0.5';
  const isMicros = !lstmMicro.lacks!(form);
  return {
    kernels: ['tflite-reference', 'tflite-builtin', 'xnnpack'],
    what: `TFLite has no tanh for a cell state of a scale below 2^-15 (largest value 0.5 or less): ${instead}`,
    since: 'LiteRT 2.3.0 or before',
    avoid: isMicros ? `${calibrate}, or run it under TFLite Micro, which has one` : calibrate,
  };
}

const OLD: readonly Release[] = ['litert-1.4', 'litert-1.2', 'tensorflow-2.21'];
const BEFORE_2_3 = 'LiteRT up to 1.4, TensorFlow up to 2.21';
const ELSEWHERE = 'use LiteRT 2.3, or OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES';

const SUM: ReleaseDefect = {
  kernels: ['tflite-reference'],
  what: 'the reference resolver reads the int8 codes of a SUM as bytes without a sign, and clamps to 0..255',
  since: 'LiteRT 2.3.0 or before',
  avoid: 'check against the builtin kernels (OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES), not BUILTIN_REF',
};
const MATMUL: ReleaseDefect = {
  kernels: ['xnnpack'],
  what: "XNNPACK ignores the zero point of a BATCH_MATMUL's second operand",
  since: 'TensorFlow 2.21',
  avoid: ELSEWHERE,
};
const SAME: ReleaseDefect = {
  kernels: ['xnnpack'],
  what: 'XNNPACK computes the bias alone, since SAME padding of a kernel smaller than its stride falls below 0',
  since: BEFORE_2_3,
  avoid: `${ELSEWHERE}; or VALID padding`,
};
const WEIGHTS: ReleaseDefect = {
  kernels: ['xnnpack'],
  what: "XNNPACK ignores the zero point of a FULLY_CONNECTED's int8 weights",
  since: BEFORE_2_3,
  avoid: `${ELSEWHERE}; or symmetric weights`,
};
