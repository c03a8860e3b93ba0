/**
 * A candidate that stores codes of 8 bits with the other sign throughout, less 128 or as the same bytes: what its layers read is what the
 * codes mean, not how they are written. Each layer's own values stay as they are.
 */
import { otherReadings } from '../../diagnose/alternatives/readings.js';
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import type { Model } from '../../nouns/model.js';
import { float64s } from '../../numeric/array.js';
import { blocks } from '../../replay/blocks.js';
import type { ReplaySession } from '../../replay/session.js';

export type Code = 'uint8' | 'int8';
type Back = (code: number) => number;
export type Off = 128 | 256;

/** Shifted, or the same bytes. */
const OFFSETS: readonly Off[] = [128, 256];

interface Stored {
  readonly key: string;
  /** Of the value that it is: of what a layer says that it read, the one before it. */
  readonly name: string;
  readonly value: CapturedValue;
  readonly declared: Code;
}

/** How many values are the captured ones, as they are stored and read back. */
interface Counted extends Stored {
  readonly values: number;
  readonly asStored: number;
  readonly asRead: Readonly<Record<Off, number>>;
}

/** What it is read beside: the first of these samples. */
export interface Beside {
  readonly model: Model;
  readonly capture: Capture;
  readonly session: ReplaySession;
  readonly from: number;
  readonly to: number;
}

/** Of what a layer says that it read, `LAYER.input`, the value before it. */
export function saidInputs({ layers }: Model): ReadonlyMap<string, string> {
  return new Map(layers.map(({ name, inputs }) => [`${name}.input`, inputs[0]]));
}

/** Its values read back, where that makes more of them what was captured; null: they are no others. */
export async function inRightSigns(candidate: Capture, beside: Beside): Promise<Capture | null> {
  const { model, session } = beside;
  const read = saidInputs(model);
  const stored = [...candidate.values].flatMap(([key, value]): Stored | [] => {
    const name = session.paramsOf(key) ? key : (read.get(key) ?? key);
    const declared = session.paramsOf(name)?.dtype;
    const isCode = declared === 'uint8' || declared === 'int8';
    return isCode && declared !== value.dtype && /^u?int/.test(value.dtype) ? { key, name, value, declared } : [];
  });
  const counted: Counted[] = [];
  for (const one of stored) counted.push(await countedIn(one, beside));
  for (const off of OFFSETS) {
    const total = (of: (one: Counted) => number) => counted.reduce((sum, one) => sum + of(one), 0);
    const more = total(({ asRead }) => asRead[off]) - total(({ asStored }) => asStored);
    if (more * MOST_WRONG <= total(({ values }) => values)) continue;
    const meant = counted
      .filter(({ asRead, asStored }) => asRead[off] >= asStored)
      .map((one) => [one.key, readBack(one.value, one.declared, backOf(one, off))] as const);
    return { ...candidate, values: new Map([...candidate.values, ...meant]) };
  }
  return null;
}

/** One value of so many has to become right: of noise as many as become wrong. */
const MOST_WRONG = 64;

function backOf({ declared }: Stored, off: Off): Back {
  return otherReadings(declared).find((reading) => reading.off === off)!.map.back!;
}

/** Of the first samples, which are read once. */
async function countedIn(one: Stored, { capture, from, to }: Beside): Promise<Counted> {
  const { name, value } = one;
  const counts = { values: 0, asStored: 0, asRead: { 128: 0, 256: 0 } };
  const captured = capture.values.get(name);
  if (!captured || captured.features !== value.features) return { ...one, ...counts };
  const [[start, end]] = blocks(from, to, value.features);
  const [own, expected] = [await value.read(start, end), await captured.read(start, end)];
  const backs = OFFSETS.map((off) => [off, backOf(one, off)] as const);
  own.forEach((code: number, i: number) => {
    counts.values += 1;
    if (code === expected[i]) counts.asStored += 1;
    for (const [off, back] of backs) if (back(code) === expected[i]) counts.asRead[off] += 1;
  });
  return { ...one, ...counts };
}

/** The same values as codes of the declared dtype. */
export function readBack(value: CapturedValue, declared: Code, back: Back): CapturedValue {
  const Codes = declared === 'uint8' ? Uint8Array : Int8Array;
  const read = async (from: number, to: number) => new Codes(float64s(await value.read(from, to), back));
  return { ...value, dtype: declared, read };
}
