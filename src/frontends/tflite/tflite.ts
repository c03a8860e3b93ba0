/** A .tflite as model.json's raw nodes; its constants are arrays that are read from the file when their layer's turn comes. */
import { openTflite } from '../../load/tflite/read.js';
import type { ArrayFile } from '../../nouns/array.js';
import type { FileSystem } from '../../nouns/file.js';
import { Graph } from './graph.js';
import { inputsOf, translate } from './translate.js';

/** Without a producer in the capture: the default interpreter of LiteRT. */
const PRODUCER = { framework: 'litert', kernel: 'xnnpack' };

/** Throws InputError. `arrays` is the open file: close it when the model is. */
export async function readTflite(fs: FileSystem, path: string): Promise<{ raw: unknown; arrays: ArrayFile }> {
  const file = await openTflite(fs, path);
  try {
    const graph = await Graph.of(file);
    const { inputs, layers } = inputsOf(graph);
    layers.push(...(await translate(graph)));
    if (layers.length === 0)
      throw file.buffer.refuse(['subgraphs', 0, 'operators'], 'expected a node, got none', 'nothing is computed');
    const raw = {
      format: 'qdiff-model',
      version: 1,
      producer: PRODUCER,
      layout: 'NHWC',
      samples_per_call: graph.batch,
      inputs,
      constants: [...graph.constants.values()],
      ...(graph.folded.size > 0 ? { folded: [...graph.folded.keys()].map(graph.key) } : {}),
      layers,
    };
    return { raw, arrays: { path, arrays: graph.arrays, close: file.close } };
  } catch (error) {
    await file.close();
    throw error;
  }
}
