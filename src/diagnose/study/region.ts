/** A change that took place in a part of a layer: a tail that other code computes, a channel that was written otherwise. */
import type { NumericArray } from '../../nouns/array.js';
import { indicesOf, sizeOf } from '../../tensor/shape.js';
import type { BorderRegion, Region, Setup } from '../setup.js';
import type { Outputs, Scope } from './data.js';

interface Computes {
  readonly channels: number;
  outputs(setup: Setup, scope: Scope): Outputs;
}

/** What a setup computes inside its region, and what the others compute outside. */
export function inRegion(study: Computes, { within, ...setup }: Setup, scope: Scope): Outputs {
  const { region, others } = within!;
  const inside = study.outputs(setup as Setup, scope);
  const outside = study.outputs(others, scope);
  const isIn = membersOf(region, scope, study.channels);
  // codes may be bytes on one side only
  const like = (length: number) =>
    inside.data instanceof Float32Array ? new Float32Array(length) : new Int32Array(length);
  const merged = (a: NumericArray, b: NumericArray) => like(a.length).map((_, i) => (isIn(i) ? a[i] : b[i]));
  return {
    data: merged(inside.data, outside.data),
    low: inside.low && outside.low && merged(inside.low, outside.low),
    high: inside.high && outside.high && merged(inside.high, outside.high),
  };
}

/** Whether a value of a scope lies in a region. */
export function membersOf(region: Region, { samples, channels }: Scope, all: number): (i: number) => boolean {
  const width = channels?.length ?? all;
  if ('from' in region) {
    return (i) => samples[Math.floor(i / width)] >= region.from && samples[Math.floor(i / width)] < region.to;
  }
  if ('inside' in region) {
    const isBeside = besideOf(region);
    return (i) => isBeside[samples[Math.floor(i / width)] % isBeside.length] === 1;
  }
  const own = new Set(region.channels);
  const isIn = Uint8Array.from({ length: width }, (_, i) => Number(own.has(channels ? channels[i] : i)));
  return (i) => isIn[i % width] === 1;
}

/** A 1 for each place outside of the box. */
function besideOf({ inside, dims }: BorderRegion): Uint8Array {
  const isBeside = (place: number) =>
    indicesOf(place, dims).some((index, axis) => index < inside[axis][0] || index >= inside[axis][1]);
  return Uint8Array.from({ length: sizeOf(dims) }, (_, place) => Number(isBeside(place)));
}
