/** Slow, exact references: numbers as BigInt fractions. */

/** numerator * 2^exponent, exactly the given float64. */
export function exactParts(x: number): { numerator: bigint; exponent: number } {
  let exponent = 0;
  let scaled = x;
  while (!Number.isInteger(scaled)) {
    scaled *= 2;
    exponent--;
  }
  return { numerator: BigInt(scaled), exponent };
}

/** numerator * 2^exponent rounded once to a float32, ties to even; subnormals and overflow included. */
export function roundToFloat32(numerator: bigint, exponent: number): number {
  if (numerator === 0n) return 0;
  const sign = numerator < 0n ? -1 : 1;
  const magnitude = numerator < 0n ? -numerator : numerator;
  const topBit = magnitude.toString(2).length - 1 + exponent;
  const lastBit = Math.max(topBit - 23, -149);
  const drop = lastBit - exponent;
  const kept = drop > 0 ? divideRoundHalfEven(magnitude, 1n << BigInt(drop)) : magnitude << BigInt(-drop);
  const value = Number(kept) * 2 ** Math.max(lastBit, -1000);
  return sign * (value >= 2 ** 128 ? Number.POSITIVE_INFINITY : value);
}

export function divideFloor(a: bigint, b: bigint): bigint {
  const quotient = a / b;
  return quotient * b > a ? quotient - 1n : quotient;
}

export function divideRoundHalfEven(a: bigint, b: bigint): bigint {
  const below = divideFloor(a, b);
  const twice = 2n * (a - below * b);
  return twice > b || (twice === b && below % 2n !== 0n) ? below + 1n : below;
}

export function divideRoundHalfUp(a: bigint, b: bigint): bigint {
  return divideFloor(2n * a + b, 2n * b);
}

export function divideRoundHalfAway(a: bigint, b: bigint): bigint {
  return a < 0n ? -divideRoundHalfUp(-a, b) : divideRoundHalfUp(a, b);
}

export function wrap(x: bigint, bits: number): number {
  return Number(BigInt.asIntN(bits, x));
}
