/** What the functions of golden's C for whole values call: TFLite's multipliers, and gemmlowp's fixed point, whose `bits` are 16 or 32. */

export const VALUE_HELPERS: Readonly<Record<string, string>> = {
  by_multiplier: `/* Two roundings, the second half away from zero. */
static inline int64_t by_multiplier(int64_t x, int64_t m, int e) {
  int64_t wide = wrap32(e > 0 ? x * ((int64_t)1 << e) : x);
  return shift_right_half_away(floor_shift(wide * m + ((int64_t)1 << 30), 31), e < 0 ? -e : 0);
}`,
  by_multiplier_up: `/* Both half up. */
static inline int64_t by_multiplier_up(int64_t x, int64_t m, int e) {
  int64_t wide = wrap32(e > 0 ? x * ((int64_t)1 << e) : x);
  return shift_right_half_up(floor_shift(wide * m + ((int64_t)1 << 30), 31), e < 0 ? -e : 0);
}`,
  by_short_multiplier: `/* The upper 16 bits of the multiplier, one rounding, half up. */
static inline int64_t by_short_multiplier(int64_t x, int64_t m, int e) {
  int64_t upper = m < 2147418112 ? (m + 32768) >> 16 : 32767;
  return wrap32(shift_right_half_up(x * upper, 15 - e));
}`,
  leading_zeros: `static inline int leading_zeros(int64_t x) {
  int zeros = 32;
  while (zeros > 0 && x >> (32 - zeros)) zeros--;
  return zeros;
}`,
  looked_up: `static inline int64_t looked_up(const int32_t *table, int64_t v) {
  int64_t step = floor_shift(v, 7), k = 256 + step;
  return table[k] + floor_shift((int64_t)(table[k + 1] - table[k]) * (v - step * 128) + 64, 7);
}`,
  to_floor: `/* To an integer: down, of what is not negative, and the nearest, halves away from zero. */
static inline int64_t to_floor(golden_float v) {
  return v.exponent >= 0 ? v.mantissa * ((int64_t)1 << v.exponent) : v.exponent < -62 ? 0 : v.mantissa >> -v.exponent;
}`,
  to_away: `static inline int64_t to_away(golden_float v) {
  if (v.exponent >= 0) return v.mantissa * ((int64_t)1 << (v.exponent > 30 ? 30 : v.exponent));
  return v.exponent < -62 ? 0 : shift_right_half_away(v.mantissa, -v.exponent);
}`,
  wrap_to: `static inline int64_t wrap_to(int64_t x, int bits) { return bits == 32 ? wrap32(x) : wrap16(x); }`,
  high_product: `static inline int64_t high_product(int64_t a, int64_t b, int bits) {
  int64_t most = ((int64_t)1 << (bits - 1)) - 1, high = floor_shift(a * b + ((int64_t)1 << (bits - 2)), bits - 1);
  return high > most ? most : high;
}`,
  constant_of: `static inline int64_t constant_of(int64_t of32, int bits) { return bits == 32 ? of32 : shift_right_half_away(of32, 16); }`,
  by_power: `static inline int64_t by_power(int64_t x, int shift, int bits) {
  if (shift <= 0) return shift_right_half_away(x, -shift);
  int64_t most = ((int64_t)1 << (bits - 1)) - 1, wide = x * ((int64_t)1 << shift);
  return wide > most ? most : wide < -most - 1 ? -most - 1 : wide;
}`,
  exp_near_zero: `/* exp on [-1/4, 0). */
static inline int64_t exp_near_zero(int64_t a, int bits) {
  int64_t x = a + ((int64_t)1 << (bits - 4)), square = high_product(x, x, bits);
  int64_t cube = high_product(square, x, bits), fourth = high_product(square, square, bits);
  int64_t third = high_product(wrap_to(by_power(fourth, -2, bits) + cube, bits), constant_of(715827883, bits), bits);
  int64_t tail = by_power(wrap_to(third + square, bits), -1, bits), factor = constant_of(1895147668, bits);
  int64_t sum = factor + high_product(factor, wrap_to(x + tail, bits), bits);
  return bits == 32 ? wrap32(sum) : saturate16(sum);
}`,
  exp_on_negative: `/* a <= 0 with so many integer bits. */
static inline int64_t exp_on_negative(int64_t a, int integers, int bits) {
  static const int64_t powers[7] = {1672461947, 1302514674, 790015084, 290630308, 39332535, 720401, 242};
  if (a == 0) return ((int64_t)1 << (bits - 1)) - 1;
  int fractions = bits - 1 - integers;
  int64_t quarter = (int64_t)1 << (fractions - 2), rest = ((a % quarter) + quarter) % quarter - quarter;
  int64_t result = exp_near_zero(by_power(rest, integers, bits), bits);
  for (int k = -2; k < 5; k++)
    if (integers > k && ((rest - a) >> (fractions + k) & 1)) result = high_product(result, constant_of(powers[k + 2], bits), bits);
  return result;
}`,
  inverse_of_half_sum: `/* 1 / ((1 + a) / 2). */
static inline int64_t inverse_of_half_sum(int64_t a, int bits) {
  int64_t sum = a + ((int64_t)1 << (bits - 1)) - 1, half = (sum + (sum >= 0 ? 1 : -1)) / 2;
  int64_t x = wrap_to(constant_of(1515870810, bits) + high_product(half, constant_of(-1010580540, bits), bits), bits);
  for (int k = 0; k < 3; k++) {
    int64_t missing = wrap_to(((int64_t)1 << (bits - 3)) - high_product(half, x, bits), bits);
    x = wrap_to(x + by_power(high_product(x, missing, bits), 2, bits), bits);
  }
  return x;
}`,
  one_over_one_plus: `static inline int64_t one_over_one_plus(int64_t a, int bits) { return by_power(inverse_of_half_sum(a, bits), 1, bits); }`,
  fixed_logistic: `static inline int64_t fixed_logistic(int64_t a, int integers, int bits) {
  if (a == 0) return (int64_t)1 << (bits - 2);
  int64_t positive = one_over_one_plus(exp_on_negative(-magnitude(a), integers, bits), bits);
  return a > 0 ? positive : ((int64_t)1 << (bits - 1)) - 1 - positive;
}`,
  fixed_tanh: `static inline int64_t fixed_tanh(int64_t a, int integers, int bits) {
  if (a == 0) return 0;
  int64_t inverse = inverse_of_half_sum(exp_on_negative(-magnitude(a), integers + 1, bits), bits);
  int64_t positive = by_power(wrap_to(inverse - ((int64_t)1 << (bits - 3)), bits), 2, bits);
  return a < 0 ? -positive : positive;
}`,
  softmax_power: `/* exp of a distance to the largest code of a row. */
static inline int64_t softmax_power(int64_t d, int64_t m, int e, int64_t least) {
  return d < least ? 0 : exp_on_negative(high_product(wrap32(d * ((int64_t)1 << e)), m, 32), 5, 32);
}`,
};
