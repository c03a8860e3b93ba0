/**
 * qdiff as a library: load a model and a capture, compare them, get the report as data. No side effects on import.
 *
 * ```ts
 * import { loadModel, loadCapture, compare } from 'qdiff';
 * const model = await loadModel('model.json');
 * const report = await compare(model, await loadCapture('capture.npz', model));
 * ```
 */
import { nodeFileSystem } from './io.js';
import { openCapture, openModel } from './open.js';
import type { Capture, Model } from './types.js';

export { type CompareOptions, compare, type Progress } from './compare.js';
export { declaredKernel, kernelByName, kernels } from './kernels/registry.js';
export type { Tolerance } from './layerReport.js';
export type * from './types.js';
export { InputError } from './types.js';

/** Reads and validates model.json; weights stay on disk until their layer is replayed. Throws InputError with every problem. */
export function loadModel(path: string): Promise<Model> {
  return openModel(nodeFileSystem, path);
}

/** Reads the headers of capture.npz (or a folder of .npy) and validates them against the model. Throws InputError. */
export function loadCapture(path: string, model: Model): Promise<Capture> {
  return openCapture(nodeFileSystem, path, model);
}
