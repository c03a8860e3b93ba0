/** model.onnx in model.json's place. */
import { openFile, Recent } from '../../load/bytes.js';
import { CACHE_BYTES } from '../../load/npyArray.js';
import { onnxDtype } from '../../load/onnx/dtypes.js';
import type { OnnxModel } from '../../load/onnx/proto.js';
import { readOnnxModel } from '../../load/onnx/read.js';
import { refuse } from '../../load/refuse.js';
import type { FileSystem } from '../../nouns/file.js';
import type { Warning } from '../../nouns/problem.js';
import { counted, listed, nineDigits, printable } from '../../text.js';
import type { ModelFile, RanBy } from '../modelFile.js';
import { Constants } from './constants.js';
import { runOf } from './dims.js';
import { type Merged, withoutDoublePairs } from './doublePairs.js';
import type { Draft, ValueType } from './draft.js';
import { fromShapes } from './fromShapes.js';
import { fused } from './fusions.js';
import { Graph, type GraphNode } from './graph.js';
import { type GraphLayers, layersOf } from './layers.js';
import { propagated } from './propagated.js';
import { outputOf, type Quantization } from './quantization.js';
import { notModelled, type Session, sessionOf } from './session.js';
import { simplified } from './simplify.js';
import { withTurnedWeights } from './turnedWeights.js';

/** The newest version of ONNX's own operators that this version knows. */
const NEWEST_OPSET = 28;

/** The layers of an ONNX file as model.json's raw nodes; numbers stay in the file until it is closed. Throws InputError. */
export async function readOnnx(fs: FileSystem, path: string, ranBy: RanBy): Promise<ModelFile> {
  const file = await openFile(fs, path);
  try {
    const onnx = await readOnnxModel(file, path);
    checkOpsets(onnx);
    const whole = new Graph(onnx);
    const run = runOf(whole, ranBy.captured ?? new Map());
    const constants = await Constants.of(whole, { fs, path, file, cache: new Recent(CACHE_BYTES) }, (node, constants) =>
      fromShapes(node, { graph: whole, constants, run }),
    );
    const { layers, added, merged } = await layersAsRun(
      simplified(whole, constants, ranBy.captured ?? new Map()),
      constants,
      ranBy,
    );
    if (layers.drafts.length === 0) {
      throw refuse('onnx', printable(path), 'expected a graph with nodes that compute something, got none');
    }
    const arrays = { path, arrays: layers.arrays.byKey, close: () => file.close() };
    const told = [
      ...outputsAdded(path, added),
      ...settingsOf(path, ranBy),
      ...doublePairs(path, merged),
      ...warningsOf(onnx, layers),
    ];
    return { raw: rawModel(layers), arrays, warnings: told };
  } catch (error) {
    await file.close();
    throw error;
  }
}

/**
 * The layers, and the tensors that show how they were captured: floats inside a group that an ordinary session fuses. They exist
 * where tensors were added to the model's outputs, and then all that were captured count as such; or, where a run that was not changed
 * computed them, because it did not fuse that group.
 */
async function layersAsRun(whole: Graph, constants: Constants, { captured = new Map(), ...producer }: RanBy) {
  const session = sessionOf(producer, captured);
  const turned = withTurnedWeights(whole, constants);
  const layersIn = async (session: Session) => {
    const { graph, merged } = await optimized(turned, constants, session);
    return { merged, layers: await layersOf(await fused(graph, constants, session), constants, session) };
  };
  const { layers, merged } = await layersIn(session);
  const inside = layers.drafts.flatMap(({ name, nodes, ranAs }) =>
    ranAs ? nodes.flatMap(({ outputs }) => outputs.filter((tensor) => tensor !== name && captured.has(tensor))) : [],
  );
  if (inside.length === 0) return { layers, added: inside, merged };
  const seen = producer.capturedAsRun ? { unfusedAt: new Set(inside) } : { added: new Set(captured.keys()) };
  return { ...(await layersIn({ ...session, ...seen })), added: producer.capturedAsRun ? [] : inside };
}

/** As often as ONNX Runtime goes over a graph. */
const MOST_STEPS = 10;

/** What it does again and again while something changes: what is carried has the numbers of the pairs as they are by then. */
async function optimized(whole: Graph, constants: Constants, session: Session) {
  const merged: Merged[] = [];
  let graph = whole;
  for (let step = 0; step < MOST_STEPS; step++) {
    const single = await withoutDoublePairs(graph, constants, session);
    merged.push(...(single?.merged ?? []));
    const carried = propagated(single?.graph ?? graph, constants, session);
    if (carried === graph) break;
    graph = carried;
  }
  return { graph, merged };
}

function settingsOf(path: string, ranBy: RanBy): Warning[] {
  const message = notModelled(ranBy);
  return message === null ? [] : [{ code: 'setting', where: printable(path), message }];
}

function doublePairs(path: string, merged: readonly Merged[]): Warning[] {
  if (merged.length === 0) return [];
  const number = ({ scale, zeroPoint }: Quantization) => `scale ${nineDigits(scale[0])}, zero point ${zeroPoint[0]}`;
  const pairs = merged.map(({ tensors: [left, gone], params: [first, second, both] }) => {
    return `${left} (${number(first)}) and ${gone} (${number(second)}) are ${left} alone (${number(both)})`;
  });
  const message = `ONNX Runtime makes one pair of QuantizeLinear and DequantizeLinear of two in a row, of the range that both have, which gives other codes than the file says: ${listed(pairs)}; with the entry session.disable_double_qdq_remover=1 it does not`;
  return [{ code: 'double-pairs', where: printable(path), message }];
}

function outputsAdded(path: string, added: readonly string[]): Warning[] {
  if (added.length === 0) return [];
  const message = `the capture has ${listed(added)}, which ONNX Runtime does not compute where it fuses: tensors were added to the outputs of the model, so layers ran in float that an ordinary session runs in integers, and what saturates there is hidden; capture the graph that runs, with qdiff run or the file that qdiff exporter onnx prints`;
  return [{ code: 'outputs-added', where: printable(path), message }];
}

function checkOpsets({ path, opsets, graph }: OnnxModel): void {
  const version = opsets.get('');
  const own = graph.nodes.some(({ domain }) => domain === '');
  if (version === undefined ? !own : version >= 1 && version <= NEWEST_OPSET) return;
  const got = version === undefined ? 'got none' : `got ${version}`;
  const fix = 'convert it with onnx.version_converter, or use the qdiff that knows it';
  throw refuse('opset', printable(path), `expected an opset of ONNX from 1 to ${NEWEST_OPSET}, ${got}; ${fix}`);
}

/** What model.json would say. */
function rawModel({ drafts, inputs, arrays, views }: GraphLayers): object {
  const known = new Set<string>(arrays.values.keys());
  const rawInputs = inputs.flatMap(({ name, type, shape }) => {
    const params = paramsOf(type);
    if (!params) return [];
    known.add(name);
    return [{ name, ...params, shape, of_graph: true }];
  });
  const layers = drafts.map((draft) => {
    const { name, op, fields, nodes, arithmetic, because, remedy, ranAs, hazards, notReplayed, shape, blocksBefore } =
      draft;
    const input = draft.inputs.filter((value) => known.has(value));
    known.add(name);
    const why = notReplayed ?? (input.length === 0 ? 'it reads no value of the graph, only constants' : undefined);
    const origin = {
      nodes: namesOf(nodes),
      arithmetic,
      because,
      remedy,
      ran_as: ranAs,
      hazards,
      not_replayed: why && printable(why), // operators, domains and modes are as the file has them
    };
    return {
      name,
      op,
      ...(input.length > 0 ? { input } : {}),
      ...fields,
      output: outputParams(draft),
      shape,
      blocks_before: blocksBefore,
      ...origin,
    };
  });
  const producer = { framework: 'onnxruntime', kernel: 'ort' };
  return {
    format: 'qdiff-model',
    version: 1,
    producer,
    inputs: rawInputs,
    constants: [...arrays.values.values()],
    folded: views,
    layers,
  };
}

function namesOf(nodes: readonly GraphNode[]): string[] {
  return nodes.flatMap(({ name, absorbed = [] }) => [name, ...absorbed]);
}

/** Of a layer that is not replayed there may be no codes, or one code alone. */
function outputParams({ output, range: [low, high] = [0, 0] }: Draft): Record<string, unknown> | null {
  const params = paramsOf(output);
  return params && low < high ? { ...params, quant_min: low, quant_max: high } : params;
}

function paramsOf(type: ValueType): Record<string, unknown> | null {
  return type === 'float32' ? { dtype: 'float32' } : outputOf(type);
}

function warningsOf({ path, graph, functions }: OnnxModel, { inputs }: GraphLayers): Warning[] {
  const where = printable(path);
  const warn = (code: string, message: string): Warning => ({ code, where, message });
  const constants = new Set(graph.initializers.map(({ name }) => name));
  const overridable = graph.inputs.filter(({ name }) => constants.has(name)).map(({ name }) => name);
  const unread = inputs.filter(({ type }) => !paramsOf(type)).map(({ name }) => name);
  const dtypes = graph.inputs
    .filter(({ name }) => unread.includes(name))
    .map(({ elemType }) => onnxDtype(elemType).name);
  return [
    ...(overridable.length > 0
      ? [warn('overridable', `initializers that are also inputs are taken as constants: ${listed(overridable)}`)]
      : []),
    ...(unread.length > 0
      ? [
          warn(
            'unread-input',
            `inputs of types that qdiff has no values of are not read: ${listed(unread)} (${listed(new Set(dtypes))})`,
          ),
        ]
      : []),
    ...(graph.sparseInitializers > 0
      ? [warn('sparse', `${counted(graph.sparseInitializers, 'sparse initializer')} not read`)]
      : []),
    ...(functions > 0 ? [warn('functions', `${counted(functions, 'function')} of the model's own not entered`)] : []),
  ];
}
