import * as z from 'zod/mini';

/** What fields of several documents hold. */

export const count = z.int().check(z.nonnegative());

/** Differences and values may be infinite or NaN in float layers; JSON spells those. In memory they are plain numbers. */
const SPELLED = { inf: Number.POSITIVE_INFINITY, '-inf': Number.NEGATIVE_INFINITY, nan: Number.NaN } as const;
const spelled = <Name extends keyof typeof SPELLED>(names: readonly Name[]) =>
  z.pipe(
    z.union([z.number(), z.enum(names)]),
    z.transform((value) => (typeof value === 'number' ? value : SPELLED[value])),
  );
export const real = spelled(['inf', '-inf', 'nan']);
/** An end of a range, which is never NaN. */
export const end = spelled(['inf', '-inf']);

export const cause = z.string().check(z.describe('int16-saturation, bias-int32, ..., unexplained'));

export const warningSchema = z.object({ code: z.string(), where: z.string(), message: z.string() });

/** Of a layer that was made from the nodes of a graph (ONNX). */
export const originFields = {
  nodes: z.optional(z.array(z.string()).check(z.describe('names of the nodes that it was folded from'))),
  arithmetic: z.optional(z.nullable(z.enum(['integers', 'float']))),
  because: z.optional(z.nullable(z.string())),
};
