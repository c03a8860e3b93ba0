import type { ArrayFile, ArraySource, NumericArray, StoredDtype } from '../../nouns/array.js';
import { sizeOf } from '../../tensor/shape.js';
import { type Ort, type OrtTensor, type Session, STORED } from './runtime.js';
import { refused } from './words.js';

export type Feeds = ReadonlyMap<string, OrtTensor>;

/** What each call is fed with: axis 0 is the samples, and a graph whose batch is fixed is called as often as needed. */
export async function callsOf(ort: Ort, session: Session, inputs: ArrayFile['arrays']): Promise<Feeds[]> {
  const wanted = session.inputMetadata;
  const found =
    wanted.length === 1 && inputs.size === 1 ? new Map([[wanted[0].name, [...inputs.values()][0]]]) : inputs;
  const missing = wanted.filter(({ name }) => !found.has(name)).map(({ name }) => name);
  if (missing.length > 0) {
    const needs = wanted.map(({ name }) => name).join(', ');
    const got = [...inputs.keys()].join(', ') || 'none';
    throw refused(`inputs: the graph needs ${needs}; there is no array ${missing.join(', ')}, but ${got}`);
  }
  const feeds = new Map<string, OrtTensor>();
  const counts = new Map<string, number>();
  for (const value of wanted) {
    const feed = await feedOf(ort, value, found.get(value.name)!);
    feeds.set(value.name, feed);
    const [batch] = value.shape!;
    const [samples] = feed.dims;
    if (typeof batch !== 'number' || samples === batch) continue;
    if (batch < 1 || samples % batch !== 0) {
      throw refused(`inputs: ${value.name} has ${samples} samples; the graph takes ${batch} a call`);
    }
    counts.set(value.name, samples / batch);
  }
  const calls = Math.max(1, ...counts.values());
  for (const [name, { dims }] of feeds) {
    if (calls === 1 || dims.length === 0 || counts.get(name) === calls || dims[0] % calls === 0) continue;
    throw refused(`inputs: ${name} has ${dims[0]} samples, which ${calls} calls cannot share`);
  }
  return Array.from({ length: calls }, (_, call) => {
    const part = ([name, feed]: [string, OrtTensor]) => [name, partOf(ort, feed, call, calls)] as const;
    return new Map([...feeds].map(part));
  });
}

function partOf(ort: Ort, { type, dims, data }: OrtTensor, call: number, calls: number): OrtTensor {
  if (calls === 1 || dims.length === 0) return new ort.Tensor(type, data, dims);
  const length = data.length / calls;
  return new ort.Tensor(type, data.slice(call * length, (call + 1) * length), [dims[0] / calls, ...dims.slice(1)]);
}

const FLOATS: readonly string[] = ['float16', 'float32', 'float64'];

type Wanted = Session['inputMetadata'][number];

async function feedOf(ort: Ort, { name, type, shape }: Wanted, source: ArraySource): Promise<OrtTensor> {
  const stored = STORED.get(type ?? '');
  if (!stored || type === 'float16') throw refused(`inputs: ${name} is a tensor(${type}), which is not fed from Node`);
  const fits =
    source.shape.length === shape!.length &&
    source.shape.every((dim, axis) => axis === 0 || typeof shape![axis] !== 'number' || shape![axis] === dim);
  if (!fits) {
    const takes = shape!.map((dim) => (typeof dim === 'number' ? dim : '?')).join(', ');
    throw refused(`inputs: ${name} is [${source.shape.join(', ')}]; the graph takes [${takes}]`);
  }
  const values = await source.read();
  const data = new stored.array(sizeOf(source.shape));
  if (!filled(data, values) && !(FLOATS.includes(type!) && FLOATS.includes(source.dtype satisfies StoredDtype))) {
    throw refused(`inputs: ${name} is ${source.dtype}; the graph takes ${type}`);
  }
  return new ort.Tensor(type!, data, source.shape);
}

/** Whether every value is the same there. */
function filled(data: OrtTensor['data'], values: NumericArray): boolean {
  let same = true;
  for (let i = 0; i < values.length; i++) {
    if (data instanceof BigInt64Array || data instanceof BigUint64Array) {
      if (!Number.isInteger(values[i])) return false;
      data[i] = BigInt(values[i]);
    } else data[i] = values[i];
    same &&= Number(data[i]) === values[i] || Number.isNaN(values[i]);
  }
  return same;
}
