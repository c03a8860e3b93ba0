/** Operators that move values, floats too. */
import { clamp } from '../../numeric/integer.js';
import { sizeOf } from '../../tensor/shape.js';
import type { RawParams } from './graph.js';
import { Node, type Translation } from './node.js';

type Rule = (node: Node) => Translation | Promise<Translation>;

/** RESHAPE, SQUEEZE, EXPAND_DIMS: the output's shape says all; new_shape may hold -1. To a row it is a flatten. */
const reshape: Rule = (node) => {
  const { shape } = node.output();
  const [before, after] = [node.needs(0).shape, shape].map((dims) => sizeOf(dims));
  if (before !== after) throw node.refuse(`expected an output of ${before} values, got [${shape.join(', ')}]`);
  const [{ index: from }, { index: to }] = [node.needs(0), node.output()];
  const kept = sameParams(node.graph.params(from), node.graph.params(to));
  const [dims, row] = [node.graph.shape(from), node.graph.shape(to)];
  const isRow = kept && row?.length === 1 && dims !== null && sizeOf(dims) === row[0];
  if (isRow) return { op: 'flatten', data: [0], fields: { start_dim: 1 } };
  return { op: 'reshape', data: [0], fields: {} };
};

export function sameParams(a: RawParams | null, b: RawParams | null): boolean {
  return a?.dtype === b?.dtype && a?.scale === b?.scale && a?.zero_point === b?.zero_point;
}

/** The samples' axis stays first. */
const transpose: Rule = async (node) => {
  const { index } = node.needs(0);
  const dims = await node.integers(1);
  if (!dims) return { op: 'permute', data: [0], notReplayed: 'its dims are computed' };
  if (keepsOrder(dims, node.needs(0).shape)) return { op: 'reshape', data: [0], fields: {} };
  const moved = node.graph.dropsFirst(index) ? dims : [0, ...dims.map((axis) => axis + 1)];
  return { op: 'permute', data: [0], fields: { dims: moved } };
};

/** Axes of one alone change places. */
function keepsOrder(dims: readonly number[], shape: readonly number[]): boolean {
  const long = dims.filter((axis) => shape[axis] !== 1);
  return dims[0] !== 0 && long.every((axis, i) => i === 0 || axis > long[i - 1]);
}

/** [axis][before, after], the batch first; model.json says the last axis first and has no batch. */
const padding =
  (data: readonly number[], mode?: (node: Node) => string): Rule =>
  async (node) => {
    const ends = await node.integers(1);
    if (!ends) return { op: 'pad', data: [0], notReplayed: 'its paddings are computed' };
    const axes = Array.from({ length: ends.length / 2 }, (_, axis) => ends.slice(2 * axis, 2 * axis + 2));
    const own = node.graph.dropsFirst(node.needs(0).index) ? axes.slice(1) : axes;
    if (own !== axes && axes[0].some((end) => end !== 0))
      return { op: 'pad', data: [0], notReplayed: 'it pads the batch' };
    const fields = { pad: own.reverse().flat(), ...(mode ? { mode: mode(node) } : {}) };
    if (data.length === 1) return { op: 'pad', data: [0], fields };
    const value = await paddingOf(node);
    if (value === null) return { op: 'pad', data: [0], fields, notReplayed: 'the value that it pads with is computed' };
    return { op: 'pad', data: [0], fields: { ...fields, value } };
  };

/** What the code of a constant stands for beside the output's parameters. */
async function paddingOf(node: Node): Promise<number | null> {
  const tensor = node.input(2);
  const number = tensor && (await node.graph.number(tensor.index));
  const params = node.graph.params(node.output().index);
  if (number === null || !params) return null;
  return params.scale === undefined ? number : (number - params.zero_point!) * params.scale;
}

interface Range {
  readonly axis: number;
  readonly start: number;
  readonly end: number;
  readonly step: number;
  /** The axis leaves. */
  readonly shrinks: boolean;
}

/** Ranges of axes as one slice; those that take all of an axis are left out. */
function sliced(node: Node, position: number, ranges: readonly Range[]): Translation {
  const { index, shape } = node.needs(position);
  const own = ranges.filter(
    ({ axis, start, end, step, shrinks }) => start !== 0 || end !== shape[axis] || step !== 1 || shrinks,
  );
  if (onlySamplesLeave(node, index, own)) return { op: 'reshape', data: [position], fields: {} };
  const translation = { op: 'slice', data: [position] };
  const wrong = own.find(({ axis, start, end, step }) =>
    step > 0 ? start < 0 || end > shape[axis] || start >= end : start >= shape[axis] || end < -1 || start <= end,
  );
  if (wrong) {
    const range = `${wrong.start}..${wrong.end}`;
    throw node.refuse(`expected a range within 0..${shape[wrong.axis]} (axis ${wrong.axis}), got ${range}`);
  }
  const first = becomesSamples(node, index, own);
  if (first !== null) {
    const at = own.findIndex(({ axis }) => axis === first);
    const whole = { axis: first, start: 0, end: 1, step: 1 };
    own.splice(at < 0 ? own.length : at, 1, { ...(own[at] ?? whole), shrinks: true });
  }
  const dim = own.map(({ axis }) => node.graph.axis(index, axis));
  if (dim.includes(0)) return { ...translation, notReplayed: 'it slices the batch' };
  if (own.length === 0) return { op: 'identity', data: [position], fields: {} };
  const drop = own.flatMap(({ axis, shrinks }) => (shrinks ? [node.graph.axis(index, axis)] : []));
  const fields = {
    dim,
    start: own.map(({ start }) => start),
    end: own.map(({ end }) => (end < 0 ? null : end)),
    step: own.map(({ step }) => step),
    ...(drop.length > 0 ? { drop } : {}),
  };
  return { ...translation, fields };
}

/** [1, 6, 8] to [6, 8]: nothing moves. */
function onlySamplesLeave({ graph }: Node, index: number, ranges: readonly Range[]): boolean {
  if (graph.batch !== 1 || !graph.dropsFirst(index)) return false;
  return ranges.length > 0 && ranges.every(({ axis, shrinks }) => axis === 0 && shrinks);
}

/** Of [6, 1, 8] cut to [1, 8], or of [2, 24] to [1, 24]: the axis of one that is the samples' from then on. */
function becomesSamples({ graph, operator }: Node, index: number, ranges: readonly Range[]): number | null {
  const [output] = operator.outputs;
  if (graph.batch !== 1 || graph.dropsFirst(index) || !graph.dropsFirst(output)) return null;
  const { shape } = graph.tensor(index);
  const gone = new Set(ranges.flatMap(({ axis, shrinks }) => (shrinks ? [axis] : [])));
  const first = shape.findIndex((_, axis) => !gone.has(axis));
  const range = ranges.find(({ axis }) => axis === first);
  const left = range ? range.end - range.start : shape[first];
  return left === 1 && graph.tensor(output).shape.length > 1 ? first : null;
}

/** x, begin, size; -1: to the end. */
const slice: Rule = async (node) => {
  const { shape } = node.needs(0);
  const [begin, size] = [await node.integers(1), await node.integers(2)];
  if (!begin || !size) return { op: 'slice', data: [0], notReplayed: 'its range is computed' };
  if (begin.length !== shape.length || size.length !== shape.length) throw wrongRank(node, shape, begin.length);
  const ranges = shape.map((dim, axis) => {
    const end = size[axis] < 0 ? dim : begin[axis] + size[axis];
    return { axis, start: begin[axis], end, step: 1, shrinks: false };
  });
  return sliced(node, 0, ranges);
};

function wrongRank(node: Node, shape: readonly number[], got: number) {
  return node.refuse(`expected a number for each axis of [${shape.join(', ')}], got ${got}`);
}

/** x, begin, end, strides, with a bit an axis in each mask. */
const stridedSlice: Rule = async (node) => {
  const { shape } = node.needs(0);
  const [begin, end, strides] = [await node.integers(1), await node.integers(2), await node.integers(3)];
  if (!begin || !end || !strides) return { op: 'slice', data: [0], notReplayed: 'its range is computed' };
  if (strides.includes(0)) throw node.refuse('expected strides other than 0');
  if (node.number('ellipsis_mask') !== 0 || node.number('new_axis_mask') !== 0) {
    return { op: 'slice', data: [0], notReplayed: 'its new axes have no model' };
  }
  const ranks = [begin, end, strides].map(({ length }) => length);
  if (ranks.some((rank) => rank !== ranks[0] || rank > shape.length)) throw wrongRank(node, shape, Math.max(...ranks));
  const bit = (mask: string, axis: number) => Math.floor(node.number(mask) / 2 ** axis) % 2 === 1;
  const ranges = begin.map((first, axis) => {
    const size = shape[axis];
    const step = strides[axis];
    const [least, most] = step > 0 ? [0, size] : [-1, size - 1];
    const within = (at: number) => clamp(at < 0 ? at + size : at, least, most);
    const shrinks = bit('shrink_axis_mask', axis);
    const start = bit('begin_mask', axis) ? (step > 0 ? least : most) : within(first);
    if (shrinks) return { axis, start, end: start + 1, step: 1, shrinks };
    const last = bit('end_mask', axis) ? (step > 0 ? most : least) : within(end[axis]);
    return { axis, start, end: last, step, shrinks };
  });
  return sliced(node, 0, ranges);
};

/** An output each: sizes along an axis, one after the other; -1 (of SPLIT_V): what is left. */
function parts(node: Node, position: number, axis: number, sizes: readonly number[]): Translation {
  const { shape } = node.needs(position);
  const own = axis < 0 ? axis + shape.length : axis;
  const given = sizes.filter((size) => size >= 0).reduce((sum, size) => sum + size, 0);
  const all = sizes.map((size) => (size < 0 ? shape[own] - given : size));
  const { outputs } = node.operator;
  if (own < 0 || own >= shape.length || all.length !== outputs.length) {
    throw node.refuse(`expected ${outputs.length} parts along an axis of [${shape.join(', ')}], got ${all.length}`);
  }
  const starts = all.map((_, i) => all.slice(0, i).reduce((sum, size) => sum + size, 0));
  const ranges = all.map((size, i) => ({
    axis: own,
    start: starts[i],
    end: starts[i] + size,
    step: 1,
    shrinks: false,
  }));
  const translations = ranges.map((range) => sliced(node, position, [range]));
  return { ...translations[0], each: translations };
}

const split: Rule = async (node) => {
  const [axis] = (await node.integers(0)) ?? [];
  if (axis === undefined) return { op: 'slice', data: [1], notReplayed: 'its axis is computed' };
  const { shape } = node.needs(1);
  const { length } = node.operator.outputs;
  const size = (shape.at(axis) ?? 0) / length;
  if (!Number.isInteger(size)) throw node.refuse(`expected an axis that ${length} divides, got [${shape.join(', ')}]`);
  return parts(node, 1, axis, new Array<number>(length).fill(size));
};

const splitInto: Rule = async (node) => {
  const [sizes, axes] = [await node.integers(1), await node.integers(2)];
  if (!sizes || !axes) return { op: 'slice', data: [0], notReplayed: 'its parts are computed' };
  return parts(node, 0, axes[0], sizes);
};

/** An output for each place of an axis, which leaves. */
const unpack: Rule = (node) => {
  const { shape } = node.needs(0);
  const said = node.number('axis');
  const axis = said < 0 ? said + shape.length : said;
  const { outputs } = node.operator;
  if (shape[axis] !== outputs.length) {
    throw node.refuse(`expected an axis of ${outputs.length} (its outputs), got axis ${said} of [${shape.join(', ')}]`);
  }
  const each = outputs.map((output, start) => {
    const range = { axis, start, end: start + 1, step: 1, shrinks: true };
    return sliced(new Node(node.graph, { ...node.operator, outputs: [output] }), 0, [range]);
  });
  return { ...each[0], each };
};

/** x, how often along each axis. */
const tile: Rule = async (node) => {
  const { index } = node.needs(0);
  const times = await node.integers(1);
  if (!times) return { op: 'tile', data: [0], notReplayed: 'its multiples are computed' };
  const dims = node.graph.dropsFirst(index) ? [...times] : [1, ...times];
  return { op: 'tile', data: [0], fields: { dims } };
};

/** x, places along an axis. */
const gather: Rule = async (node) => {
  const { index, shape } = node.needs(0);
  const [places, said] = [await node.integers(1), node.number('axis')];
  const axis = said < 0 ? said + shape.length : said;
  if (!places || node.number('batch_dims') !== 0 || axis >= shape.length) {
    return { op: 'index_select', data: [0], notReplayed: 'its places are computed' };
  }
  const isOne = node.needs(1).shape.length === 0;
  if (isOne) return sliced(node, 0, [{ axis, start: places[0], end: places[0] + 1, step: 1, shrinks: true }]);
  const fields = { dim: node.graph.axis(index, axis), index: places };
  return { op: 'index_select', data: [0], fields };
};

/** x, the axes that are walked backwards. */
const reversed: Rule = async (node) => {
  const { shape } = node.needs(0);
  const axes = await node.integers(1);
  if (!axes) return { op: 'slice', data: [0], notReplayed: 'its axes are computed' };
  const ranges = axes.map((said) => {
    const axis = said < 0 ? said + shape.length : said;
    if (!(axis >= 0 && axis < shape.length))
      throw node.refuse(`expected an axis of [${shape.join(', ')}], got ${said}`);
    return { axis, start: shape[axis] - 1, end: -1, step: -1, shrinks: false };
  });
  return sliced(node, 0, ranges);
};

/** x, the shape whose axes those of one are repeated to. */
const expanded: Rule = async (node) => {
  const { index, shape } = node.needs(0);
  const { index: to, shape: wanted } = node.output();
  if (!(await node.integers(1))) return { op: 'expand', data: [0], notReplayed: 'its shape is computed' };
  const isSameRank = shape.length === wanted.length && node.graph.dropsFirst(index) === node.graph.dropsFirst(to);
  if (!isSameRank) return { op: 'expand', data: [0], notReplayed: 'its axes become more' };
  return { op: 'expand', data: [0], fields: { size: node.graph.dropsFirst(to) ? wanted : [1, ...wanted] } };
};

/** Values of one shape beside each other, along an axis of its own. */
const pack: Rule = (node) => {
  const { index, shape } = node.needs(0);
  const said = node.number('axis');
  const axis = said < 0 ? said + shape.length + 1 : said;
  if (!(axis >= 0 && axis <= shape.length)) throw node.refuse(`expected an axis of ${shape.length + 1}, got ${said}`);
  if (axis === 0 && node.graph.batch > 1) return { op: 'stack', notReplayed: 'it stacks the batch' };
  return { op: 'stack', fields: { dim: node.graph.dropsFirst(index) ? Math.max(1, axis) : axis + 1 } };
};

/** Blocks of places and channels, of images. */
const blocked =
  (op: string): Rule =>
  (node) => {
    const { index, shape } = node.needs(0);
    if (shape.length !== 4) throw node.refuse(`expected images (4 axes), got [${shape.join(', ')}]`);
    if (node.graph.hasImages(index)) return { op, notReplayed: 'a sample is several images' };
    return { op, fields: { block_size: node.positive('block_size'), channels_last: true } };
  };

/** x, block sizes, two numbers for each: cells that are put on, or cut off. */
const blocks =
  (op: string, field: string): Rule =>
  async (node) => {
    const [sizes, ends] = [await node.integers(1), await node.integers(2)];
    if (!sizes || !ends) return { op, data: [0], notReplayed: 'its blocks are computed' };
    const [before, after] = [node.needs(0).index, node.output().index];
    const [one, several] = op === 'space_to_batch' ? [before, after] : [after, before];
    if (!node.graph.dropsFirst(one) || (node.graph.dropsFirst(several) && sizeOf(sizes) !== 1)) {
      return { op, data: [0], notReplayed: 'it mixes samples' };
    }
    const pairs = sizes.map((_, axis) => ends.slice(2 * axis, 2 * axis + 2));
    return { op, data: [0], fields: { block_shape: sizes, [field]: pairs } };
  };

/** By the schema's names. */
export const MOVES: ReadonlyMap<string, Rule> = new Map([
  ['RESHAPE', reshape],
  ['SQUEEZE', reshape],
  ['EXPAND_DIMS', reshape],
  ['TRANSPOSE', transpose],
  ['PAD', padding([0])],
  ['PADV2', padding([0, 2])],
  ['MIRROR_PAD', padding([0], (node) => (node.number('mode') === 0 ? 'reflect' : 'symmetric'))],
  ['DEPTH_TO_SPACE', blocked('depth_to_space')],
  ['SPACE_TO_DEPTH', blocked('space_to_depth')],
  ['PACK', pack],
  ['REVERSE_V2', reversed],
  ['BROADCAST_TO', expanded],
  ['SLICE', slice],
  ['STRIDED_SLICE', stridedSlice],
  ['SPLIT', split],
  ['SPLIT_V', splitInto],
  ['UNPACK', unpack],
  ['TILE', tile],
  ['GATHER', gather],
  ['SPACE_TO_BATCH_ND', blocks('space_to_batch', 'paddings')],
  ['BATCH_TO_SPACE_ND', blocks('batch_to_space', 'crops')],
]);
