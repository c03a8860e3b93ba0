/**
 * Arithmetic on sizes, done when the graph is loaded: a converter that does not know the batch takes SHAPE apart and puts it together
 * again in front of each RESHAPE. A tensor of it is the same in every call.
 */
import type { Operator } from '../../load/tflite/model.js';
import { clamp } from '../../numeric/integer.js';
import { sizeOf } from '../../tensor/shape.js';

/** Inputs of an operator, at its positions. */
export interface Known {
  /** Of a tensor at run time; null where only a run tells. */
  shape(position: number): readonly number[] | null;
  /** What a tensor of integers holds; null: not known. */
  numbers(position: number): Promise<readonly number[] | null>;
}

type Rule = (operator: Operator, known: Known) => Promise<readonly number[] | null> | readonly number[] | null;

const same: Rule = (_, known) => known.numbers(0);

/** Of a row of numbers, whose one axis is bit 0 of each mask. */
const ranged: Rule = async ({ options }, known) => {
  const [values, begin, end, strides] = await Promise.all([0, 1, 2, 3].map((position) => known.numbers(position)));
  if (!values || begin?.length !== 1 || !end || !strides || strides[0] !== 1) return null;
  const option = (name: string) => Number(options.get(name) ?? 0);
  const isSet = (mask: string) => option(mask) % 2 === 1;
  if (option('ellipsis_mask') !== 0 || option('new_axis_mask') !== 0) return null;
  const within = (at: number) => clamp(at < 0 ? at + values.length : at, 0, values.length);
  const from = isSet('begin_mask') ? 0 : within(begin[0]);
  if (isSet('shrink_axis_mask')) return values.slice(from, from + 1);
  return values.slice(from, isSet('end_mask') ? values.length : within(end[0]));
};

const cut: Rule = async (_, known) => {
  const [values, begin, size] = await Promise.all([0, 1, 2].map((position) => known.numbers(position)));
  if (!values || begin?.length !== 1 || size?.length !== 1) return null;
  return values.slice(begin[0], size[0] < 0 ? values.length : begin[0] + size[0]);
};

const joined: Rule = async ({ inputs }, known) => {
  const parts = await Promise.all(inputs.map((_, position) => known.numbers(position)));
  return parts.some((part) => part === null) ? null : (parts as number[][]).flat();
};

const chosen: Rule = async (_, known) => {
  const [values, places] = await Promise.all([known.numbers(0), known.numbers(1)]);
  if (!values || !places) return null;
  const own = places.map((place) => values[place]);
  return own.includes(undefined as never) ? null : own;
};

const multiplied: Rule = async (_, known) => {
  const values = await known.numbers(0);
  return values && [sizeOf(values)];
};

const binary =
  (apply: (a: number, b: number) => number): Rule =>
  async (_, known) => {
    const [a, b] = await Promise.all([known.numbers(0), known.numbers(1)]);
    if (!a || !b || (a.length !== b.length && a.length !== 1 && b.length !== 1)) return null;
    const length = Math.max(a.length, b.length);
    const values = Array.from({ length }, (__, i) => apply(a[a.length === 1 ? 0 : i], b[b.length === 1 ? 0 : i]));
    return values.every(Number.isSafeInteger) ? values : null;
  };

/** By the schema's names; on int32 and int64 alone. */
export const SIZES: ReadonlyMap<string, Rule> = new Map<string, Rule>([
  ['SHAPE', (_, known) => known.shape(0)],
  ['STRIDED_SLICE', ranged],
  ['SLICE', cut],
  ['PACK', joined],
  ['CONCATENATION', joined],
  ['GATHER', chosen],
  ['CAST', same],
  ['RESHAPE', same],
  ['SQUEEZE', same],
  ['EXPAND_DIMS', same],
  ['REDUCE_PROD', multiplied],
  ['ADD', binary((a, b) => a + b)],
  ['SUB', binary((a, b) => a - b)],
  ['MUL', binary((a, b) => a * b)],
  ['DIV', binary((a, b) => Math.trunc(a / b))],
  ['FLOOR_DIV', binary((a, b) => Math.floor(a / b))],
  ['MAXIMUM', binary(Math.max)],
  ['MINIMUM', binary(Math.min)],
]);
