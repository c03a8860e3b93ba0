/**
 * A layer that no cause explains may hold the right values in other places: another layout, channels or rows from last to first,
 * words with their bytes the other way round, an address off by one. Named where every value is the replay's of one rule's place.
 */
import type { LayerDiagnosis } from '../../diagnose/finding/explanation.js';
import type { NumericArray } from '../../nouns/array.js';
import type { Shape } from '../../nouns/value.js';
import { int32s, sumOfHashes } from '../../numeric/array.js';
import { channelStride, channelsOf, placeOf, sizeOf, strideOf } from '../../tensor/shape.js';
import { counted } from '../../text.js';
import { type AskedOfPlaces, diffReplay } from '../candidate/readings.js';
import { layoutsOf, type Order } from './layouts.js';
import { namedPlaces } from './namedPlaces.js';
import { tellsEnough, valuesOf, wantedOf } from './otherOperands.js';
import { paddedOtherwise } from './paddedOtherwise.js';
import { resizedOtherwise } from './resizedOtherwise.js';

/** Held in memory as a whole, twice. */
const MOST_VALUES = 2e7;
/** Places by which all values may be late or early, beside those of a row and a sample. */
const MOST_PLACES = 16;

/** Null: in no such order it has the replay's values. */
export async function inOtherPlaces(asked: AskedOfPlaces): Promise<LayerDiagnosis | null> {
  return (await paddedOtherwise(asked)) ?? (await resizedOtherwise(asked)) ?? inAnotherOrder(asked);
}

async function inAnotherOrder(asked: AskedOfPlaces): Promise<LayerDiagnosis | null> {
  const { reading, observed, from, to } = asked;
  const { run } = reading;
  const count = (to - from) * observed.features;
  if (count > MOST_VALUES || !(await tellsEnough(asked))) return null;
  const [replayed, wanted] = await Promise.all([valuesOf(asked, run), wantedOf(asked)]);
  const { output } = run.ready.shapes;
  if (sizeOf(output.dims) !== observed.features || replayed.length !== count) return null;
  if (isMadeOfValues(wanted, replayed)) return null;
  for (const order of ordersFor(output, to - from, wanted, replayed)) {
    if (!isIn(order, wanted, replayed, observed.features)) continue;
    return found(asked, order, count);
  }
  return null;
}

/**
 * Whether larger ones of the replay are larger, or none is: then arithmetic makes the ones of the others, and of a ramp that is the next
 * place's value too.
 */
function isMadeOfValues(wanted: NumericArray, replayed: NumericArray): boolean {
  const pairs = new Map<number, number>();
  for (let i = 0; i < wanted.length; i++) {
    if ((pairs.get(replayed[i]) ?? wanted[i]) !== wanted[i]) return false;
    pairs.set(replayed[i], wanted[i]);
  }
  const inOrder = [...pairs].sort(([a], [b]) => a - b).map(([, value]) => value);
  const steps = inOrder.slice(1).map((value, i) => value - inOrder[i]);
  return steps.every((step) => step >= 0) || steps.every((step) => step <= 0);
}

function isIn({ of, from }: Order, wanted: NumericArray, replayed: NumericArray, features: number): boolean {
  if (of === 'sample') {
    // of noise the first values say no
    for (let i = 0; i < features; i++) if (wanted[i] !== replayed[from(i)]) return false;
    const places = new Int32Array(wanted.length > features ? features : 0);
    for (let i = 0; i < places.length; i++) places[i] = from(i);
    for (let start = features; start < wanted.length; start += features) {
      for (let i = 0; i < features; i++) if (wanted[start + i] !== replayed[start + places[i]]) return false;
    }
    return true;
  }
  for (let i = 0; i < wanted.length; i++) {
    const place = from(i);
    if (place >= 0 && wanted[i] !== replayed[place]) return false;
  }
  return true;
}

// ---------------------------------------------------------------- the orders

function* ordersFor(shape: Shape, samples: number, wanted: NumericArray, replayed: NumericArray): Generator<Order> {
  const { dims } = shape;
  const features = sizeOf(dims);
  yield* layoutsOf(shape);
  yield* reversedWords(features, wanted.length);
  if (samples > 1 && features > 1) {
    yield {
      order: `[${features}, ${samples}] memory: samples and values exchanged`,
      of: 'all',
      from: (i) => (i % samples) * features + Math.floor(i / samples),
      numpy: `y = y.reshape(${features}, ${samples}).T.reshape(y.shape)`,
    };
  }
  const channels = channelOrder(shape, wanted, replayed);
  if (channels) yield channels;
  yield* shifted(shape, wanted.length);
  yield* movedWithin(shape, wanted.length);
}

/** Words of so many values that were written from the other end. */
function* reversedWords(features: number, all: number): Generator<Order> {
  for (const length of [2, 4, 8, 16]) {
    if (features === length || all % length !== 0) continue;
    yield {
      order: `words of ${length} values from last to first`,
      of: 'all',
      from: (i) => i - (i % length) + length - 1 - (i % length),
      numpy: `y = y.reshape(-1, ${length})[:, ::-1].reshape(y.shape)`,
    };
  }
}

/** An address, or a pipeline, off by some values; a row or a sample late or early. */
function* shifted({ dims }: Shape, all: number): Generator<Order> {
  const features = sizeOf(dims);
  const steps = dims.map((_, axis) => sizeOf(dims.slice(axis)));
  const few = Array.from({ length: MOST_PLACES }, (_, i) => i + 1);
  for (const step of new Set([...few, ...steps, features])) {
    if (step * 4 > all) continue;
    const places = step === features ? 'one sample' : counted(step, 'place');
    for (const by of [step, -step]) {
      const end = by > 0 ? 'last' : 'first';
      yield {
        order: `each value ${places} ${by > 0 ? 'late' : 'early'}`,
        of: 'all',
        from: (i) => (i - by >= 0 && i - by < all ? i - by : -1),
        numpy:
          step === features
            ? `y = np.roll(y, ${-by / step}, axis=0)  # the ${end} sample is missing`
            : `y = np.roll(y, ${-by})  # the ${end} ${counted(step, 'value')} of all ${step > 1 ? 'are' : 'is'} missing`,
      };
    }
  }
}

/** Below it what a move leaves open is too much of a block. */
const FEWEST_STEPS = 3;

/** One place late or early along an axis, or in the memory that each index of it has: around, or the last ones lost. */
function* movedWithin({ dims }: Shape, all: number): Generator<Order> {
  const steps = dims.map((_, axis) => strideOf(dims, axis));
  for (const axis of dims.keys()) {
    const block = dims[axis] * steps[axis];
    for (const step of new Set(steps.slice(axis))) {
      if (step * FEWEST_STEPS > block || block === all) continue;
      const isAlong = step === steps[axis];
      const where = isAlong ? `along axis ${axis + 1}` : `in each ${block} of memory`;
      for (const by of [step, -step]) {
        const late = `each value ${isAlong ? 'one place' : counted(step, 'place')} ${by > 0 ? 'late' : 'early'} ${where}`;
        const back = `y = np.roll(y.reshape(-1, ${block}), ${-by}, axis=1).reshape(y.shape)`;
        const moved = (i: number) => (i % block) - by;
        const isInside = (place: number) => place >= 0 && place < block;
        yield {
          order: `${late}, around`,
          of: 'all',
          from: (i) => i - (i % block) + ((moved(i) + block) % block),
          numpy: back,
        };
        yield {
          order: late,
          of: 'all',
          from: (i) => (isInside(moved(i)) ? i - by : -1),
          numpy: `${back}  # the ${by > 0 ? 'last' : 'first'} ${counted(step, 'value')} of each ${block} ${step > 1 ? 'are' : 'is'} missing`,
        };
      }
    }
  }
}

/** Values of a channel that are looked at before all are: of noise they say no. */
const FEW_VALUES = 8;
const FNV_PRIME = 16777619;

/** Whether each channel holds what one of the others does, as far as a hash tells. */
function mayBeChannels(shape: Shape, wanted: NumericArray, replayed: NumericArray): boolean {
  const theirs = new Set(hashesOf(shape, replayed));
  return hashesOf(shape, wanted).every((hash) => theirs.has(hash));
}

/** What a channel holds, as a number that is equal for equal values. */
function hashesOf(shape: Shape, values: NumericArray): Int32Array {
  const [channels, stride] = [channelsOf(shape), channelStride(shape)];
  const hashes = new Int32Array(channels);
  for (let i = 0, channel = 0; i < values.length; channel = (channel + 1) % channels) {
    let hash = hashes[channel];
    for (const end = i + stride; i < end; i++) hash = Math.imul(hash ^ values[i], FNV_PRIME);
    hashes[channel] = hash;
  }
  return hashes;
}

/** Bits: one in a million orders of channels is found by chance. */
const TELLING_BITS = 20;

/** Any values of one row in another order are an order of channels: only more rows in the same one tell. */
function tellsOrder(channels: number, rows: number): boolean {
  let bits = 0;
  for (let among = 2; among <= channels && bits < TELLING_BITS; among++) bits += (rows - 1) * Math.log2(among);
  return bits >= TELLING_BITS;
}

/** Each channel's values, all of them, are another channel's. */
function channelOrder(shape: Shape, wanted: NumericArray, replayed: NumericArray): Order | null {
  const channels = channelsOf(shape);
  const features = sizeOf(shape.dims);
  const few = Math.ceil((FEW_VALUES * channels) / features) * features;
  if (!tellsOrder(channels, wanted.length / channels)) return null;
  // a million channels are hashed one by one only where the first sample holds the same values
  if (sumOfHashes(wanted, features) !== sumOfHashes(replayed, features)) return null;
  for (const length of new Set([Math.min(few, wanted.length), wanted.length]))
    if (!mayBeChannels(shape, wanted.subarray(0, length), replayed.subarray(0, length))) return null;
  const [own, theirs] = [columnsOf(shape, wanted), columnsOf(shape, replayed)];
  const places = new Map(theirs.map((text, channel) => [text, channel]));
  const order = own.map((text) => places.get(text) ?? -1);
  if (order.includes(-1) || new Set(order).size < channels) return null;
  const moved = [...order.entries()].filter(([to, from]) => to !== from);
  const shown = moved.slice(0, 4).map(([to, from]) => `${to} holds ${from}'s`);
  const axis = shape.channelAxis + 1;
  const stride = channelStride(shape);
  return {
    order: `channels: ${shown.join(', ')}${moved.length > 4 ? `, and ${moved.length - 4} more` : ''}`,
    of: 'sample',
    from: (i) => (i + (order[placeOf(shape, i).channel] - placeOf(shape, i).channel) * stride) % features,
    numpy: `y = np.take(y.reshape(${[-1, ...shape.dims].join(', ')}), np.argsort([${order.join(', ')}]), axis=${axis}).reshape(y.shape)`,
  };
}

/** What a channel holds, as text that is equal for equal values. */
function columnsOf(shape: Shape, values: NumericArray): string[] {
  const features = sizeOf(shape.dims);
  const columns = Array.from({ length: channelsOf(shape) }, () => [] as number[]);
  const channelAt = int32s({ length: features }, (_, i) => placeOf(shape, i).channel);
  for (let i = 0; i < values.length; i++) columns[channelAt[i % features]].push(values[i]);
  return columns.map((column) => column.join());
}

// ---------------------------------------------------------------- what is said

function unknownOf({ from }: Order, values: number): number {
  let unknown = 0;
  for (let i = 0; i < values; i++) if (from(i) < 0) unknown++;
  return unknown;
}

/** values: how many were written. */
async function found(asked: AskedOfPlaces, own: Order, values: number): Promise<LayerDiagnosis> {
  const { order, rule, numpy } = own;
  const { reading, expected, zeroPoint } = asked;
  const { run } = reading;
  const shape = run.ready.shapes.output;
  const left = expected ? (await diffReplay(asked, run, expected, zeroPoint)).mismatched : 0;
  const unknown = own.of === 'all' ? unknownOf(own, values) : 0;
  const evidence = {
    order,
    ...(rule && { rule }),
    ...(unknown > 0 && { unknown }),
    numpy,
    dims: [...shape.dims],
    channel_axis: shape.channelAxis,
  };
  return namedPlaces(asked, ['output-order'], { 'output-order': evidence }, { mismatched_after_fix: left });
}
