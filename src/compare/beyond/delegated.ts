/** Where a capture's list of what the delegate took is not what its release takes by its rules. */
import { releaseOf } from '../../kernels/tfliteLayer.js';
import { isLayout, isState, type Layer, type Model } from '../../nouns/model.js';
import type { Warning } from '../../nouns/problem.js';
import { listed, printable } from '../../text.js';

/** Values that only move, and floats, are the same in either: they are not looked at. */
export function unlikeTheRule({ layers, producer }: Model): Warning[] {
  const { delegated, kernel } = producer;
  if (!delegated || (kernel !== undefined && kernel !== 'xnnpack')) return [];
  const release = releaseOf(producer);
  const took = new Set(delegated);
  const computed = layers.filter(isComputed);
  const unlike = (said: boolean) =>
    computed.filter(({ name, delegates }) => took.has(name) === said && delegates!.includes(release) !== said);
  return [...warningOf(unlike(true), 'took', 'leaves'), ...warningOf(unlike(false), 'left', 'takes')];
}

function isComputed(layer: Layer): boolean {
  const { delegates, form, onFloats } = layer;
  return delegates !== undefined && form !== null && !onFloats && !isLayout(layer) && !isState(layer);
}

function warningOf(layers: readonly Layer[], did: string, does: string): Warning[] {
  if (layers.length === 0) return [];
  const names = listed(layers.map(({ name }) => printable(name)));
  const message = `says that XNNPACK ${did} ${names}, which its release ${does} with default options: replayed as said; check framework_version, and the options of the run`;
  return [{ code: 'delegated', where: 'producer.delegated', message }];
}
