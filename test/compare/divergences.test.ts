/** Where two sides part in a graph, on each branch, and where they come together again. */
import { describe, expect, test } from 'vitest';
import { divergencesIn } from '../../src/compare/divergences.js';
import type { LayerReport } from '../../src/nouns/report.js';
import { divergenceSentences } from '../../src/report/words/divergences.js';

/** "stem; a*:stem; b*:stem": a star differs, a question mark was compared with nothing, ~ is accepted. */
function graph(text: string): LayerReport[] {
  return text.split('; ').map((one) => {
    const [head, inputs = 'x'] = one.split(':');
    const status = head.endsWith('?') ? 'not-captured' : /[*~]$/.test(head) ? 'mismatch' : 'match';
    const accepted = head.endsWith('~') ? 'tolerance' : null;
    return { name: head.replace(/[*?~]$/, ''), inputs: inputs.split(','), status, accepted } as LayerReport;
  });
}

function said(text: string, chained = true): string[] {
  const layers = graph(text);
  return divergenceSentences({ layers, divergences: divergencesIn(layers, chained) } as never);
}

describe('divergences', () => {
  test('each branch has its own first', () => {
    expect(divergencesIn(graph('stem; a*:stem; b:stem; b2*:b; c:stem; cat*:a,b2,c; fc*:cat'), true)).toEqual([
      { layer: 'a', equal_again: [], reaches: ['fc'] },
      { layer: 'b2', equal_again: [], reaches: ['fc'] },
    ]);
    expect(said('stem; a*:stem; b*:stem; cat*:a,b')).toEqual(["each branch's first: a, b"]);
  });

  test('one that goes on to the output needs no sentence', () => {
    expect(said('stem; a*:stem; fc*:a')).toEqual([]);
    expect(said('stem; a*:stem; fc:a', false)).toEqual([]);
  });

  test('values that are equal again', () => {
    expect(said('a*; relu:a; fc:relu')).toEqual(['it heals: equal again at relu']);
    expect(said('a*; pool:a; b*:a; fc*:b')).toEqual(['equal again at pool, not at fc']);
    expect(said('a*; relu:a; b*:relu; fc*:b')).toEqual(["each branch's first: a (equal again at relu), b"]);
  });

  test('what was compared with nothing passes a difference on', () => {
    expect(said('a*; relu?:a; fc*:relu')).toEqual([]);
    expect(said('a*; relu?:a; fc:relu')).toEqual(['it heals: equal again at fc']);
    expect(said('a*; b:a; c*:a; o?:a; p?:a')).toEqual(['equal again at b, not at c; o, p were compared with nothing']);
    expect(said('a*; b:a; out?:a')).toEqual(['equal again at b; out was compared with nothing']);
  });

  test('accepted differences begin nothing and heal nothing', () => {
    expect(divergencesIn(graph('a~; b*:a; c~:b'), true)).toEqual([{ layer: 'b', equal_again: [], reaches: ['c'] }]);
  });

  test('layers on captured inputs heal nothing, and one behind another is no beginning', () => {
    expect(divergencesIn(graph('a*; relu:a; b*:relu; c*'), false)).toEqual([
      { layer: 'a', equal_again: null, reaches: null },
      { layer: 'c', equal_again: null, reaches: null },
    ]);
  });

  test('many are counted', () => {
    const many = graph(Array.from({ length: 300 }, (_, i) => `b${i}*`).join('; '));
    expect(divergencesIn(many, true)).toHaveLength(256);
    expect(divergenceSentences({ divergences: divergencesIn(many, true) } as never)[0]).toMatch(/b7 and 248 more$/);
  });
});
