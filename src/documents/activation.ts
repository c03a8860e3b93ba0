import * as z from 'zod/mini';

/** What a product fuses into its last step; a clamp is in codes of the output. relu_n1_to_1 is TFLite's. */
export const activation = z.union(
  [z.enum(['none', 'relu', 'relu6', 'relu_n1_to_1']), z.object({ clamp: z.tuple([z.int(), z.int()]) })],
  'expected "none", "relu", "relu6" or {"clamp": [lo, hi]} in codes',
);
