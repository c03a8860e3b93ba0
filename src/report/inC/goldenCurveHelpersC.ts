/** The curves of golden's C (kernels/steps/curves.ts), operation by operation. */
import { floatText } from '../../analyze/inC/writer.js';
import { LEAST, LN_2, LOG2_E, MOST, POLYNOMIAL, SIXTH } from '../../kernels/steps/curves.js';

const [first, ...others] = POLYNOMIAL.map(floatText);

export const CURVE_HELPERS: Readonly<Record<string, string>> = {
  below: `static inline int below(golden_float a, golden_float b) {
  b.mantissa = -b.mantissa;
  return add(a, b).mantissa < 0;
}`,
  hardswish: `static inline golden_float hardswish(golden_float v) {
  golden_float zero = {0, 0}, one = {1, 0}, part = add(multiply(v, ${floatText(SIXTH)}), (golden_float){1, -1});
  return multiply(v, below(part, zero) ? zero : below(one, part) ? one : part);
}`,
  fused: `/* a * b + c, rounded once. */
static inline golden_float fused(golden_float a, golden_float b, golden_float c) {
  return add(c, (golden_float){a.mantissa * b.mantissa, a.exponent + b.exponent});
}`,
  exponential: `/* 2^n times a polynomial of the rest. */
static inline golden_float exponential(golden_float x) {
  static const golden_float coefficients[] = {${others.map((text) => text.replace('(golden_float)', '')).join(', ')}};
  if (below(x, ${floatText(LEAST)})) return (golden_float){0, 0};
  if (below(${floatText(MOST)}, x)) x = ${floatText(MOST)};
  golden_float steps = add(multiply(x, ${floatText(LOG2_E)}), (golden_float){1, -1}), y = ${first};
  int64_t n = steps.exponent >= 0 ? steps.mantissa * ((int64_t)1 << steps.exponent) : floor_shift(steps.mantissa, -steps.exponent);
  golden_float rest = fused((golden_float){-n, 0}, ${floatText(LN_2)}, x);
  for (int i = 0; i < ${others.length}; i++) y = fused(y, rest, coefficients[i]);
  return (golden_float){y.mantissa, y.exponent + (int)n};
}`,
  silu: `static inline golden_float silu(golden_float v) {
  golden_float one = {1, 0}, e = exponential((golden_float){-magnitude(v.mantissa), v.exponent});
  golden_float y = divide(e, add(e, one));
  if (v.mantissa >= 0) y = add(one, (golden_float){-y.mantissa, y.exponent});
  return multiply(v, y);
}`,
};
