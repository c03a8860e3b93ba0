/** Independent chains of dependent operations: few leave the multipliers idle, many leave the registers. */
export const CHAINS = [8, 9, 10, 11, 12];

/** AssemblyScript: the instructions of the kernels without loads, packing or requantization; functions exact8, pairs8, ... */
export function limitSource(relaxed) {
  const step = {
    exact: (a) => `i32x4.add(${a}, i32x4.dot_i16x8_s(${a}, w))`,
    pairs: (a) => `i32x4.add(${a}, i32x4.dot_i16x8_s(i16x8.add_sat_s(i16x8.mul(${a}, w), i16x8.mul(${a}, v)), ones))`,
    ...(relaxed && { bytes: (a) => `i32x4.relaxed_dot_i8x16_i7x16_add_s(w, v, ${a})` }),
  };
  return CHAINS.flatMap((count) => {
    const chains = Array.from({ length: count }, (_, i) => `a${i}`);
    return Object.entries(step).map(
      ([name, products]) => `export function ${name}${count}(turns: i32): i32 {
        const w = i16x8.splat(3), v = i16x8.splat(5), ones = i16x8.splat(1);
        ${chains.map((a, i) => `let ${a} = i16x8.splat(${i + 1});`).join(' ')}
        do { ${chains.map((a) => `${a} = ${products(a)};`).join(' ')} } while (--turns);
        return i32x4.extract_lane(${chains.reduce((sum, a) => `i32x4.add(${sum}, ${a})`)}, 0);
      }`,
    );
  }).join('\n');
}
