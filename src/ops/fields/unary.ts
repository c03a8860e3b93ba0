/** Ops whose every code follows from one, by a function that is no clamp. */

import * as z from 'zod/mini';
import type { Op, RawLayer } from '../op.js';
import { ownOrKept } from './elementwise.js';
import { keptOutput, layerFields, outputSchema } from './schema.js';
import { tensorForm } from './tensor.js';

type Fields = Readonly<Record<string, unknown>>;
type Attributes = (fields: Fields, layer: RawLayer) => object | null | 'wrong';

/** An op whose output has parameters of its own, which the file has to say. */
export function intoOwn(name: string, fields: z.ZodMiniObject['shape'] = {}, attributes: Attributes = () => null): Op {
  return {
    ...unary(name, fields, attributes),
    needs: ['output'],
    schema: () => z.object({ ...layerFields, ...fields, output: outputSchema }),
  };
}

/** An op that keeps its input's parameters where the file gives none. attributes: null after a problem. */
export function unary(name: string, fields: z.ZodMiniObject['shape'], attributes: Attributes): Op {
  return {
    name,
    schema: () => z.object({ ...layerFields, ...fields, output: keptOutput() }),
    inputs: [1, 1],
    reads: 'codes',
    channels: 'input',
    read(layer) {
      const output = ownOrKept(layer);
      const own = layer.fields ? attributes(layer.fields, layer) : 'wrong';
      return output && own !== 'wrong' ? { form: tensorForm(own), output } : null;
    },
  };
}

const real = z.optional(z.number());

/** Numbers of a function, in real units, by field; a default each. */
export function realFields<Name extends string>(defaults: Readonly<Record<Name, number>>) {
  const names = Object.keys(defaults) as Name[];
  return {
    fields: Object.fromEntries(names.map((name) => [name, real])),
    of: (fields: Fields) =>
      Object.fromEntries(names.map((name) => [name, (fields[name] as number | undefined) ?? defaults[name]])) as Record<
        Name,
        number
      >,
  };
}
