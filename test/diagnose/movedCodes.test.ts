/** Layers that move values, and one that leaves them where they are: what is done to the codes on the way. */
import { describe, expect, test } from 'vitest';
import { causeTitles } from '../../src/diagnose/finding/sentences.js';
import * as oneLayer from './oneLayer.js';

const ZP = 101;
const x = { scale: 0.0487, zero_point: ZP, shape: [4, 4, 6] };

const LAYERS = {
  flatten: {},
  permute: { dims: [0, 2, 3, 1] },
  pad: { pad: [1, 1, 1, 1] },
  slice: { dim: 2, start: 1, end: 4 },
  channel_shuffle: { groups: 2 },
  interpolate: { scale_factor: 2, mode: 'nearest' },
  max_pool2d: { kernel_size: 2 },
} as const;
type Op = keyof typeof LAYERS;

/** A candidate of which each right code has become another. */
function diagnosed(op: Op, become: (code: number, i: number) => number) {
  return oneLayer.diagnosed({ layer: { op, ...LAYERS[op] }, inputs: { x } }, (right) => right.map(become));
}

const saturated = (code: number) => Math.min(255, Math.max(0, code));
const ofZeroPoint = (found: number, wraps?: true) => ({
  'output-zero-point-wrong': { declared: ZP, found, moved: true, ...(wraps && { wraps }) },
});

describe.each(Object.keys(LAYERS) as Op[])('%s', (op) => {
  test.each<[what: string, evidence: object, become: (code: number) => number]>([
    ['less its zero point', ofZeroPoint(0), (code) => saturated(code - ZP)],
    ['less its zero point, in 8 bits', ofZeroPoint(0, true), (code) => (code - ZP) & 255],
    ['more by one', ofZeroPoint(ZP + 1), (code) => saturated(code + 1)],
    ['its sign flipped', { signedness: { of: 'output', top_bit: true } }, (code) => code ^ 128],
    ['clamped', { 'clamp-range': { found: [0, 161] } }, (code) => Math.min(code, 161)],
  ])('%s', async (_, evidence, become) => {
    const { causes, explained, of, evidence: found } = await diagnosed(op, become);
    expect([causes, explained]).toEqual([Object.keys(evidence), of]);
    expect(found).toMatchObject(evidence);
  });

  test('a ReLU, which a maximum that begins at the zero point is too', async () => {
    const { causes, indistinguishable } = await diagnosed(op, (code) => Math.max(code, ZP));
    expect(causes).toEqual(['capture-after-relu']);
    const others = op === 'max_pool2d' ? [['pool-maximum']] : [];
    expect(indistinguishable.map((other) => other.causes)).toEqual(others);
  });

  test('codes that are moved are said to be, not a zero point that the layer has not', async () => {
    const { causes, evidence, fix } = await diagnosed(op, (code) => saturated(code - ZP));
    expect(causeTitles(causes, evidence)).toBe('all codes moved by -101');
    expect(fix).toBe('give the codes as they are read: subtract no zero point from them');
  });

  test.each<[what: string, become: (code: number, i: number) => number]>([
    ['some codes moved', (code, i) => saturated(code + (i % 3 === 0 ? 1 : 0))],
    ['another function', (code) => saturated(ZP + Math.round((code - ZP) ** 2 / 64))],
    ['other numbers', (_, i) => (i * 7919) % 256],
    ['two numbers', (code) => saturated(code + (code > 150 ? 2 : 1))],
  ])('no name for %s', async (_, become) => {
    expect((await diagnosed(op, become)).causes).toEqual(['unexplained']);
  });
});
