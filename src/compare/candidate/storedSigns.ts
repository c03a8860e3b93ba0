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

type Code = 'uint8' | 'int8';
type Back = (code: number) => number;

interface Stored {
  readonly key: string;
  /** Of the value that it is: of what a layer says that it read, the one before it. */
  readonly name: string;
  readonly value: CapturedValue;
  readonly declared: Code;
}

/** What it is read beside: the first of these samples. */
interface Beside {
  readonly model: Model;
  readonly capture: Capture;
  readonly session: ReplaySession;
  readonly from: number;
  readonly to: number;
}

/** Its values read back, where that makes more of them what was captured; null: they are no others. */
export async function asMeant(candidate: Capture, beside: Beside): Promise<Capture | null> {
  const { model, session } = beside;
  const read = new Map(model.layers.map(({ name, inputs }) => [`${name}.input`, inputs[0]]));
  const stored = [...candidate.values].flatMap(([key, value]): Stored | [] => {
    const name = session.paramsOf(key) ? key : (read.get(key) ?? key);
    const declared = session.paramsOf(name)?.dtype;
    const isCode = declared === 'uint8' || declared === 'int8';
    return isCode && declared !== value.dtype && /^u?int/.test(value.dtype) ? { key, name, value, declared } : [];
  });
  for (const by of [128, 256] as const) {
    const counts = { values: 0, asStored: 0, asRead: 0 };
    const meant = new Map<string, CapturedValue>();
    for (const one of stored) {
      const { back } = otherReadings(one.declared).find(({ off }) => off === by)!.map;
      const { values, asStored, asRead } = await equalOf(one, back!, beside);
      counts.values += values;
      counts.asStored += asStored;
      counts.asRead += asRead;
      if (asRead >= asStored) meant.set(one.key, readBack(one, back!));
    }
    if ((counts.asRead - counts.asStored) * MOST_WRONG > counts.values)
      return { ...candidate, values: new Map([...candidate.values, ...meant]) };
  }
  return null;
}

/** One value of so many has to become right: of noise as many as become wrong. */
const MOST_WRONG = 64;

/** Of the first samples: how many values are the captured ones, as they are stored and read back. */
async function equalOf({ name, value }: Stored, back: Back, { capture, from, to }: Beside) {
  const counts = { values: 0, asStored: 0, asRead: 0 };
  const captured = capture.values.get(name);
  if (!captured || captured.features !== value.features) return counts;
  const [[start, end]] = blocks(from, to, value.features);
  const [own, expected] = [await value.read(start, end), await captured.read(start, end)];
  own.forEach((code: number, i: number) => {
    counts.values += 1;
    if (code === expected[i]) counts.asStored += 1;
    if (back(code) === expected[i]) counts.asRead += 1;
  });
  return counts;
}

function readBack({ value, declared }: Stored, back: Back): CapturedValue {
  const Codes = declared === 'uint8' ? Uint8Array : Int8Array;
  const read = async (from: number, to: number) => new Codes(float64s(await value.read(from, to), back));
  return { ...value, dtype: declared, read };
}
