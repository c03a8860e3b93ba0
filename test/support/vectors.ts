/** Where the golden vectors of a kernel lie, in fixtures/kernels. */

/** Kernels whose products are another's, value by value: its vectors are theirs. */
export const SAME_PRODUCTS: Readonly<Record<string, string>> = {
  'fbgemm-vnni': 'fbgemm',
  'tflite-reference': 'tflite-float64',
  'tflite-builtin': 'tflite-double-up',
};

export function vectorsOf(kernel: string): string {
  return SAME_PRODUCTS[kernel] ?? kernel;
}
