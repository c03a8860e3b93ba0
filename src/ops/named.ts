/** Ops by name: those of files of matrices first. The registry, which has all of them, is asked for others: a start does without. */
import { dequantize } from './dequantize.js';
import { identity } from './identity.js';
import { linear } from './linear.js';
import { linearDynamic } from './linearDynamic.js';
import type { Op } from './op.js';
import { quantize } from './quantize.js';
import { opInRegistry } from './registry.js';
import { relu } from './relu.js';
import { relu6 } from './relu6.js';

/** Those of the first version: in a file that has only these and no shape, [N, T, C] is N*T samples. */
export const opsOfMatrices: readonly Op[] = [linear, linearDynamic, relu, relu6, identity, quantize, dequantize];

const usual: ReadonlyMap<string, Op> = new Map(opsOfMatrices.map((op) => [op.name, op]));

/** Null: qdiff has no file for it; such a layer is not replayed, and its captured output feeds the next. */
export function opByName(name: unknown): Op | null {
  return typeof name === 'string' ? (usual.get(name) ?? opInRegistry(name)) : null;
}
