/** Values that no observer has seen: its first scale, exactly 1, and zero point 0 are still there. */
import type { LintFinding } from '../../documents/lint.js';
import { declaredParams, type Layer, type Model } from '../../nouns/model.js';
import { isQuantized, type ValueParams } from '../../nouns/value.js';
import { choosesParams } from '../../replay/chosen.js';

/** A finding for each layer that such a value comes from; a layer that only passes it on has none. */
export function uncalibrated(model: Model): LintFinding[] {
  const params = declaredParams(model);
  const isPassedOn = ({ inputs }: Layer) => inputs.some((name) => isUntouched(params.get(name) ?? null));
  return model.layers
    .filter(
      (layer) =>
        !choosesParams(layer) && isUntouched(layer.output) && (layer.form?.kind === 'product' || !isPassedOn(layer)),
    )
    .map(({ name }) => ({
      code: 'never-calibrated',
      severity: 'warning',
      layer: name,
      channel: null,
      kernels: [],
      message: 'scale is exactly 1 and zero point 0, as an observer has them before it saw any data',
      fix: 'run calibration data through the prepared model before it is converted',
      evidence: { scale: 1, zero_point: 0 },
    }));
}

function isUntouched(params: ValueParams | null): boolean {
  return (
    params !== null && isQuantized(params) && params.dtype !== 'int32' && params.scale === 1 && params.zeroPoint === 0
  );
}
