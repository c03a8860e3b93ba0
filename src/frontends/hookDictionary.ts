import { Checks } from '../documents/checks.js';
import { shapeText } from '../load/npy.js';
import { collecting } from '../load/refuse.js';
import type { ArrayFile, ArraySource } from '../nouns/array.js';
import type { Capture } from '../nouns/capture.js';
import type { Layer, Model } from '../nouns/model.js';
import { CODE_RANGES, type QuantParams } from '../nouns/value.js';
import { Features } from '../ops/fields/features.js';
import { EXPECTED_SCALE, isUsableScale } from '../ops/fields/schema.js';
import { linear } from '../ops/linear.js';
import { listed } from '../text.js';
import { validateCapture } from '../validate/capture.js';
import { OF_MATRICES } from '../validate/shapes.js';

const REQUIRED = ['x_int8', 's_x', 'zp_x', 'w_int8', 's_w', 'zp_w', 'y_int8', 's_y', 'zp_y'];

/** Names of the one value read and the one layer in a hook dictionary. */
const INPUT = 'x';
const LAYER = 'linear';

/** Whether the arrays are those of a forward hook on one quantized linear layer, saved with np.savez(PATH, **capture). */
export function isHookDictionary(file: ArrayFile): boolean {
  return ['x_int8', 'w_int8', 'y_int8'].every((key) => file.arrays.has(key));
}

/**
 * A model of one linear layer, and its capture:
 * x_int8 [N, in_features], s_x, zp_x; w_int8 [out_features, in_features], s_w, zp_w (one or [out_features]);
 * bias_fp32 [out_features], may be missing; y_int8 [N, out_features], s_y, zp_y. "int8" in the names may be uint8 in the data.
 * Throws InputError with every problem.
 */
export async function validateHookDictionary(file: ArrayFile): Promise<{ model: Model; capture: Capture }> {
  const checks = new Checks(file.path);
  const missing = REQUIRED.filter((key) => !file.arrays.has(key));
  if (missing.length > 0) {
    const expected = `expected the keys of a hook dictionary (${listed(REQUIRED, REQUIRED.length)})`;
    const got = `got no ${listed(missing, missing.length)}; or give a model: qdiff MODEL CAPTURE`;
    checks.problem('hook-dictionary', [], `${expected}, ${got}`);
    checks.finish();
  }
  const raw = {
    weight: { array: 'w_int8' },
    ...(file.arrays.get('w_int8')!.dtype === 'uint8' && { weight_dtype: 'uint8' }),
    weight_scale: { array: 's_w' },
    weight_zero_point: { array: 'zp_w' },
    bias: file.arrays.has('bias_fp32') ? { array: 'bias_fp32' } : null,
  };
  const input = await quantParams(file, 'x_int8', 's_x', 'zp_x', checks);
  const output = await quantParams(file, 'y_int8', 's_y', 'zp_y', checks);
  const read = await linear.read({
    raw,
    fields: raw,
    name: LAYER,
    op: linear.name,
    place: [],
    inputs: [{ name: INPUT, params: input ?? undefined }],
    output: output ?? undefined,
    checks,
    arrays: file,
    features: new Features(),
  });
  const warnings = checks.finish();
  const layer: Layer = { name: LAYER, op: linear.name, inputs: [INPUT], ...read! };
  const inputs = [{ name: INPUT, params: input! }];
  const producer = { framework: 'pytorch', file: 'npz' as const };
  const model: Model = { path: file.path, producer, ...OF_MATRICES, inputs, layers: [layer], warnings };
  const values = new Map<string, ArraySource>([
    [INPUT, file.arrays.get('x_int8')!],
    [LAYER, file.arrays.get('y_int8')!],
  ]);
  return { model, capture: await validateCapture(model, { ...file, arrays: values }) };
}

/** Parameters from the codes' dtype and two numbers, which np.savez makes 0-d arrays. */
async function quantParams(
  file: ArrayFile,
  codesKey: string,
  scaleKey: string,
  zeroPointKey: string,
  checks: Checks,
): Promise<QuantParams | null> {
  const { dtype } = file.arrays.get(codesKey)!;
  if (dtype !== 'uint8' && dtype !== 'int8') {
    checks.problem('dtype', [codesKey], `expected uint8 or int8, got ${dtype}; save int_repr() as it is`);
    return null;
  }
  const scale = await oneNumber(file, scaleKey, checks);
  const zeroPoint = await oneNumber(file, zeroPointKey, checks);
  if (scale === null || zeroPoint === null) return null;
  const [quantMin, quantMax] = CODE_RANGES[dtype];
  if (!isUsableScale(scale)) checks.problem('number', [scaleKey], `${EXPECTED_SCALE}, got ${scale}`);
  if (!(Number.isInteger(zeroPoint) && zeroPoint >= quantMin && zeroPoint <= quantMax)) {
    checks.problem(
      'range',
      [zeroPointKey],
      `expected an integer in ${quantMin}..${quantMax} (${dtype}), got ${zeroPoint}`,
    );
  }
  return { dtype, scale, zeroPoint, quantMin, quantMax };
}

async function oneNumber(file: ArrayFile, key: string, checks: Checks): Promise<number | null> {
  const source = file.arrays.get(key)!;
  if (source.shape.some((dim) => dim !== 1)) {
    checks.problem('shape', [key], `expected one number, got shape ${shapeText(source.shape)}`);
    return null;
  }
  return (await collecting(checks.problems, () => source.read()))?.[0] ?? null;
}
