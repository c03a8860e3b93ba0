/** TFLite's READ_VARIABLE: what the call before has assigned; before the first call, what the file says. */
import * as z from 'zod/mini';
import { numberField } from './fields/numbers.js';
import { list, name, numbers, originFields, outputSchema, shapeFields } from './fields/schema.js';
import type { Op } from './op.js';

export const readVariable: Op = {
  name: 'read_variable',
  schema: () =>
    z.object({
      name,
      op: z.string(),
      ...shapeFields,
      ...originFields,
      variable: z.optional(z.nullable(z.string())),
      assigned: z.nullable(z.string()),
      initial: numbers('[...shape] of a call', list('number')),
      output: outputSchema,
    }),
  inputs: [0, 0],
  needs: ['assigned', 'initial', 'shape', 'output'],
  channels: 'layout',
  dims: ({ form }) => (form.kind === 'state' ? form.dims : []),
  read({ fields, place, output, checks, arrays }) {
    const initial = fields && numberField(fields.initial, [...place, 'initial'], checks, arrays);
    if (!fields || !initial || !output) return null;
    const { assigned, shape: dims } = fields as { assigned: string | null; shape: number[] };
    return { form: { kind: 'state', assigned, dims, initial: initial.load }, output };
  },
};
