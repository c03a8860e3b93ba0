/** A candidate that ran a part of the capture's samples, which --samples tells: an RTL simulation of the first ten. */
import type { Capture, CapturedValue } from '../../nouns/capture.js';
import { isState, keepsState, type Model, takesWholeCalls } from '../../nouns/model.js';
import { InputError } from '../../nouns/problem.js';
import { emptyLike } from '../../numeric/array.js';
import { choosesParams } from '../../replay/chosen.js';
import { beginsAnew } from '../../replay/wholeCalls.js';
import { listed, printable } from '../../text.js';
import type { SampleSpan } from '../options.js';

/** The capture as a run of these samples alone would have it. */
export function cutTo(capture: Capture, { from, to }: SampleSpan): Capture {
  const cut = (value: CapturedValue): CapturedValue =>
    value.samples === capture.samples
      ? readingAt(value, to - from, (start, end) => value.read(from + start, from + end))
      : value;
  return { ...capture, samples: to - from, values: mapped(capture.values, cut) };
}

/** Values of these samples, at the capture's places; no sample besides is compared, and all others are read as zeros. */
export function placedIn({ samples }: Capture, part: Capture, { from, to }: SampleSpan): Capture {
  const place = (value: CapturedValue): CapturedValue =>
    readingAt(value, samples, async (start, end) => {
      const [first, last] = [Math.max(from, start), Math.min(to, end)];
      if (first === start && last === end) return value.read(start - from, end - from);
      const known = first < last ? await value.read(first - from, last - from) : await value.read(0, 1);
      const all = emptyLike(known, (end - start) * value.features);
      if (first < last) all.set(known, (first - start) * value.features);
      return all;
    });
  return { ...part, samples, values: mapped(part.values, place) };
}

function readingAt(value: CapturedValue, samples: number, read: CapturedValue['read']): CapturedValue {
  const { features, shape, dtype } = value;
  return { samples, features, shape, dtype, read };
}

function mapped(values: Capture['values'], of: (value: CapturedValue) => CapturedValue): Capture['values'] {
  return new Map([...values].map(([name, value]) => [name, of(value)]));
}

/** A range is taken, and a state left, by whole calls. Throws InputError. */
export function refuseCutCalls({ layers, producer }: Model, { batchSizes }: Capture, { from, to }: SampleSpan): void {
  const layer = layers.find((one) => choosesParams(one) || takesWholeCalls(one));
  if (!layer) return;
  let end = 0;
  const ends = [0, ...batchSizes.map((size) => (end += size))];
  const isKept = keepsState(layer) && (isState(layer) || !beginsAnew(producer));
  const begins = isKept ? [0] : ends;
  if (begins.includes(from) && ends.includes(to)) return;
  const range = keepsState(layer) ? 'begins anew with each call' : 'takes its range from a whole call';
  const why = isKept ? 'keeps a state from call to call' : range;
  const calls = `calls that end at ${listed(ends.slice(1).map(String), 8)}`;
  const message = `expected whole calls of the capture (${calls}), as ${printable(layer.name)} ${why}, got ${from}:${to}; run the candidate on all of them`;
  throw new InputError([{ kind: 'usage', where: '--samples', message }]);
}
