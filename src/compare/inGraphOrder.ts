/**
 * Values of an ONNX graph under a name that is not quite theirs. Its runtime's optimizer moves Transposes, so that a value may have its
 * axes in another order where the shape does not tell; and scripts that capture what runs give a Split's fused outputs one name, of
 * which the last stays. Proven by replay: all of it is the layer's, or its sibling's, in one order of axes. Whoever reads it is
 * compared all the same.
 */
import { referenceFor } from '../kernels/reference.js';
import type { Capture, CapturedValue } from '../nouns/capture.js';
import { isLayout, type Layer, type Model } from '../nouns/model.js';
import { ReplaySession } from '../replay/session.js';
import { isPermuted, ordersOf, permuted } from '../tensor/permute.js';
import { sizeOf } from '../tensor/shape.js';
import { counted, listed } from '../text.js';
import { computedBy } from '../validate/producer.js';
import { wholeReader } from './wholeValues.js';

/** Both sides are in memory as a whole while orders are tried. */
const MOST_VALUES = 2 ** 24;
/** Of 7! = 5040 orders of a swin's windows most fail at the first values. */
const MOST_AXES = 7;
/** Fewer may be equal in some order by chance. */
const LEAST_DIFFERING = 16;
/** Of the first samples that have so many values: those in their own order, nearly all, are not replayed twice. */
const TELLING = 1024;

/** The capture with these values in the graph's order, or without them; later ones are replayed on what was put right. */
export async function inGraphOrder(model: Model, capture: Capture, kernel?: string): Promise<Capture> {
  if (model.producer.framework !== 'onnxruntime') return capture;
  const values = new Map(capture.values);
  const reference = referenceFor(model.producer, kernel);
  const session = new ReplaySession(model, { ...capture, values }, reference, 'isolated');
  const moving = model.layers.filter((layer) => layer.nodes && isLayout(layer) && !session.whyNotReplayed(layer));
  const read = new Set(model.layers.flatMap(({ inputs }) => inputs));
  const turned: string[] = [];
  const others: string[] = [];
  for (const layer of moving) {
    const value = values.get(layer.name);
    // what the graph gives out is as it says
    if (!value || !read.has(layer.name) || !(await differs(session, layer, value))) continue;
    const siblings = moving.filter((other) => other !== layer && isOfSameNode(layer, other));
    const own = await ownOrder(session, layer, value);
    if (own) {
      turned.push(layer.name);
      values.set(layer.name, own);
    } else if (await isOneOf(session, siblings, value)) {
      others.push(layer.name);
      values.delete(layer.name);
    }
  }
  const warn = (names: readonly string[], what: string) =>
    names.length === 0
      ? []
      : [
          {
            code: 'layout',
            where: capture.path,
            message: `${counted(names.length, 'value')} ${what}: ${listed(names)}`,
          },
        ];
  const warnings = [
    ...warn(
      turned,
      "with axes in another order than in the graph, as the optimizer moves Transposes, compared in the graph's",
    ),
    ...warn(others, 'with what another output of the same node gives, as the capture names it, not compared'),
  ];
  return warnings.length > 0 ? { ...capture, values, warnings: [...capture.warnings, ...warnings] } : capture;
}

/** A candidate that ONNX Runtime computed, as it says itself: values of one's own are compared as they are. */
export async function candidateInGraphOrder(model: Model, capture: Capture, candidate: Capture): Promise<Capture> {
  if (candidate.producer?.framework === undefined) return candidate;
  const inputs = model.inputs.flatMap(({ name }) => {
    const value = capture.values.get(name);
    return value ? ([[name, value]] as const) : [];
  });
  const whole = { ...candidate, values: new Map([...inputs, ...candidate.values]) };
  const { values, warnings } = await inGraphOrder(computedBy(model, candidate), whole);
  const own = [...values].filter(([name]) => candidate.values.has(name));
  return { ...candidate, values: new Map(own), warnings };
}

function isOfSameNode({ nodes: [node] = [] }: Layer, other: Layer): boolean {
  return node !== undefined && other.nodes?.[0] === node;
}

/** In more values than some order may give by chance. */
async function differs(session: ReplaySession, layer: Layer, value: CapturedValue): Promise<boolean> {
  const { samples, features, shape } = value;
  if (samples * features > MOST_VALUES || sizeOf(shape.dims) !== features) return false;
  const run = await session.open(layer);
  const first = Math.min(samples, Math.ceil(TELLING / features));
  const { data } = await run.replay(0, first);
  const observed = await value.read(0, first);
  let differing = 0;
  for (let i = 0; i < observed.length; i++) if (observed[i] !== data[i]) differing++;
  return differing >= LEAST_DIFFERING;
}

async function isOneOf(session: ReplaySession, siblings: readonly Layer[], value: CapturedValue): Promise<boolean> {
  for (const sibling of siblings) if (await ownOrder(session, sibling, value)) return true;
  return false;
}

/** The value in the order that the layer gives it in; null: it is not the layer's. */
async function ownOrder(session: ReplaySession, layer: Layer, value: CapturedValue): Promise<CapturedValue | null> {
  const { samples, features } = value;
  const run = await session.open(layer);
  const shape = run.ready.shapes.output;
  const dims = [samples, ...shape.dims];
  const lengths = dims.filter((length) => length > 1);
  if (sizeOf(shape.dims) !== features || lengths.length > MOST_AXES) return null;
  const { data: replayed } = await run.replay(0, samples);
  const observed = await value.read(0, samples);
  for (const order of ordersOf(lengths.map((_, axis) => axis))) {
    if (!isPermuted(observed, replayed, lengths, order)) continue;
    const back = order.map((_, axis) => order.indexOf(axis));
    const own = permuted(
      observed,
      order.map((axis) => lengths[axis]),
      back,
    );
    return { ...wholeReader(own, shape, samples), dtype: value.dtype };
  }
  return null;
}
