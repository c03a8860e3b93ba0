/**
 * qdiff as a library: load a model and a capture, compare them, get the report as data. No side effects on import.
 *
 * ```ts
 * import { loadModel, loadCapture, compare } from 'qdiff';
 * const model = await loadModel('model.json');
 * const report = await compare(model, await loadCapture('capture.npz', model));
 * ```
 */

import { openCapture, openModel } from './frontends/open.js';
import { nodeFileSystem } from './io.js';
import type { Capture } from './nouns/capture.js';
import type { Model } from './nouns/model.js';

export { compare } from './compare/compare.js';
export type { CompareOptions, Progress, Tolerance } from './compare/options.js';
export { declaredKernel } from './kernels/named.js';
export { kernelByName, kernels } from './kernels/registry.js';
export type * from './nouns/array.js';
export type * from './nouns/capture.js';
export type * from './nouns/file.js';
export type * from './nouns/kernel.js';
export type * from './nouns/model.js';
export { InputError, type Problem, type Warning } from './nouns/problem.js';
export type * from './nouns/report.js';
export type * from './nouns/value.js';

/** Reads and validates model.json; weights stay on disk until their layer is replayed. Throws InputError with every problem. */
export function loadModel(path: string): Promise<Model> {
  return openModel(nodeFileSystem, path);
}

/** Reads the headers of capture.npz (or a folder of .npy) and validates them against the model. Throws InputError. */
export function loadCapture(path: string, model: Model): Promise<Capture> {
  return openCapture(nodeFileSystem, path, model);
}
