/** What a search asks of codes. */
// @ts-nocheck: the types are AssemblyScript's

/** The sum of (code - zeroPoint)^2 over `length` bytes, at most 32768 of them, padded to 16 with the zero point. */
export function sumOfSquares(source: usize, length: i32, signed: i32, zeroPoint: i32): i64 {
  const zero = i16x8.splat(<i16>zeroPoint);
  let low = i64x2.splat(0);
  for (let i: i32 = 0; i < length; i += 16) {
    const codes = v128.load(source + i);
    const a = i16x8.sub(signed ? i16x8.extend_low_i8x16_s(codes) : i16x8.extend_low_i8x16_u(codes), zero);
    const b = i16x8.sub(signed ? i16x8.extend_high_i8x16_s(codes) : i16x8.extend_high_i8x16_u(codes), zero);
    const squares = i32x4.add(i32x4.dot_i16x8_s(a, a), i32x4.dot_i16x8_s(b, b));
    low = i64x2.add(low, i64x2.add(i64x2.extend_low_i32x4_u(squares), i64x2.extend_high_i32x4_u(squares)));
  }
  return i64x2.extract_lane(low, 0) + i64x2.extract_lane(low, 1);
}
