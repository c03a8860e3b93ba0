/** What the functions of golden's C call, as far as they call it. */

import { CURVE_HELPERS } from './goldenCurveHelpersC.js';
import { VALUE_HELPERS } from './goldenValueHelpersC.js';

/** Every shift of a negative number goes through its magnitude: C leaves it to the compiler. */
const NUMBERS: Readonly<Record<string, string>> = {
  wrap32: `static inline int32_t wrap32(int64_t x) {
  uint32_t u = (uint32_t)(uint64_t)x;
  return u <= INT32_MAX ? (int32_t)u : (int32_t)((int64_t)u - 4294967296);
}`,
  wrap16: `static inline int64_t wrap16(int64_t x) {
  int64_t u = (int64_t)((uint64_t)x & 65535);
  return u < 32768 ? u : u - 65536;
}`,
  saturate16: `static inline int64_t saturate16(int64_t x) { return x < -32768 ? -32768 : x > 32767 ? 32767 : x; }`,
  magnitude: `static inline int64_t magnitude(int64_t x) { return x < 0 ? -x : x; }`,
  floor_shift: `static inline int64_t floor_shift(int64_t x, int s) {
  return x >= 0 ? x >> s : -((-x + ((int64_t)1 << s) - 1) >> s);
}`,
  shift_right_half_up: `static inline int64_t shift_right_half_up(int64_t x, int s) {
  return s <= 0 ? x : s > 62 ? 0 : floor_shift(x + ((int64_t)1 << (s - 1)), s);
}`,
  shift_right_half_away: `static inline int64_t shift_right_half_away(int64_t x, int s) {
  int64_t a = s <= 0 ? magnitude(x) : (magnitude(x) + ((int64_t)1 << (s - 1))) >> s;
  return x < 0 ? -a : a;
}`,
  half_even: `/* Half to even, at bit s of a magnitude. */
static inline int64_t half_even(int64_t a, int s) {
  int64_t rest = a & (((int64_t)1 << s) - 1), half = (int64_t)1 << (s - 1), q = a >> s;
  return q + (rest > half || (rest == half && (q & 1)));
}`,
  rounded: `/* The float32 nearest to m * 2^e: 24 bits. */
static inline golden_float rounded(int64_t m, int e) {
  int64_t a = magnitude(m);
  int s = 0;
  while (a >> s >= 1 << 24) s++;
  if (s > 0) a = half_even(a, s);
  return (golden_float){m < 0 ? -a : a, e + s};
}`,
  multiply: `static inline golden_float multiply(golden_float a, golden_float b) {
  return rounded(a.mantissa * b.mantissa, a.exponent + b.exponent); /* 48 bits */
}`,
  widened: `/* Left until the mantissa has 59 bits. */
static inline golden_float widened(golden_float a) {
  while (a.mantissa != 0 && magnitude(a.mantissa) < (int64_t)1 << 58) a.mantissa *= 2, a.exponent--;
  return a;
}`,
  add: `/* What is shifted out stays as a sticky bit, 30 bits below those that are kept. */
static inline golden_float add(golden_float a, golden_float b) {
  if (a.mantissa == 0) return rounded(b.mantissa, b.exponent);
  if (b.mantissa == 0) return a;
  a = widened(a), b = widened(b);
  if (a.exponent < b.exponent) { golden_float c = a; a = b; b = c; }
  int s = a.exponent - b.exponent;
  int64_t small = magnitude(b.mantissa), kept = s > 62 ? 0 : small >> s;
  if (s > 62 || kept << s != small) kept |= 1;
  return rounded(a.mantissa + (b.mantissa < 0 ? -kept : kept), a.exponent);
}`,
  divide: `static inline golden_float divide(golden_float a, golden_float b) {
  a = widened(a);
  int64_t n = magnitude(a.mantissa), q = n / b.mantissa; /* 35 bits at least */
  q = q << 1 | (q * b.mantissa != n);
  return rounded(a.mantissa < 0 ? -q : q, a.exponent - b.exponent - 1);
}`,
  to_integer: `/* rint; far outside int32 the sign is what counts. */
static inline int64_t to_integer(golden_float v) {
  int64_t a = magnitude(v.mantissa);
  if (a == 0 || v.exponent < -62) return 0;
  if (v.exponent > 30) a = (int64_t)1 << 62;
  else a = v.exponent >= 0 ? a << v.exponent : half_even(a, -v.exponent);
  return v.mantissa < 0 ? -a : a;
}`,
};

/** In an order in which each calls only those before it. */
const HELPERS: Readonly<Record<string, string>> = { ...NUMBERS, ...VALUE_HELPERS, ...CURVE_HELPERS };

/** Those that the code calls, and that they call in turn, in their order. */
export function helpersOf(code: string): string {
  const needed = new Set<string>();
  const collect = (text: string) => {
    for (const [name, helper] of Object.entries(HELPERS)) {
      if (needed.has(name) || !new RegExp(`\\b${name}\\(`).test(text)) continue;
      needed.add(name);
      collect(helper);
    }
  };
  collect(code);
  return Object.keys(HELPERS)
    .filter((name) => needed.has(name))
    .map((name) => `${HELPERS[name]}\n`)
    .join('');
}

/** A float32 without floats. */
export const FLOAT_TYPE = [
  '/* A float32 in integers: mantissa * 2^exponent, exact. */',
  'typedef struct { int64_t mantissa; int exponent; } golden_float;',
  '',
];
