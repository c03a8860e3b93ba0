import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type GraphNode, networkLayout } from '../../src/report/page/networkLayout.js';

const chain = (names: readonly string[]): GraphNode[] =>
  names.map((name, i) => ({ name, inputs: i > 0 ? [i - 1] : [] }));

/** A residual network: each block adds what it read. */
function residual(blocks: number): GraphNode[] {
  const nodes: GraphNode[] = [{ name: 'quant', inputs: [] }];
  for (let i = 0; i < blocks; i++) {
    const from = nodes.length - 1;
    const name = `layer${1 + Math.floor(i / 4)}.${i % 4}`;
    nodes.push({ name: `${name}.conv1`, inputs: [from] }, { name: `${name}.conv2`, inputs: [from + 1] });
    nodes.push({ name: `${name}.add`, inputs: [from + 2, from] });
  }
  return nodes;
}

const random = fc
  .array(
    fc.record({
      part: fc.integer({ min: 0, max: 9 }),
      back: fc.array(fc.integer({ min: 1, max: 12 }), { maxLength: 3 }),
    }),
    {
      minLength: 1,
      maxLength: 300,
    },
  )
  .map((all) =>
    all.map(({ part, back }, i): GraphNode => {
      const inputs = back.map((by) => i - by).filter((from) => from >= 0);
      return { name: part < 5 ? `b${part}.${i}.x` : `x${i}`, inputs: [...new Set(inputs)] };
    }),
  );

function expectApart(nodes: readonly GraphNode[], width: number): void {
  const { tiles, tile, height, ...layout } = networkLayout(nodes, width);
  expect(tiles).toHaveLength(nodes.length);
  const taken = new Set<string>();
  for (const { x, y } of tiles) {
    expect(x).toBeGreaterThanOrEqual(0);
    expect(x + tile.width).toBeLessThanOrEqual(Math.max(width, layout.width));
    expect(y + tile.height).toBeLessThanOrEqual(height);
    taken.add(`${x},${y}`);
  }
  for (const label of layout.labels) {
    expect(label.x + label.width).toBeLessThanOrEqual(Math.max(width, layout.width));
    expect(label.y).toBeLessThanOrEqual(height);
  }
  const sorted = [...tiles].sort((a, b) => a.y - b.y || a.x - b.x);
  for (const [i, one] of sorted.entries()) {
    for (const other of sorted.slice(i + 1, i + 400)) {
      const apart =
        other.x >= one.x + tile.width ||
        one.x >= other.x + tile.width ||
        other.y >= one.y + tile.height ||
        one.y >= other.y + tile.height;
      expect(apart).toBe(true);
    }
  }
}

describe('tiles', () => {
  test.each([340, 950, 1316])('of any network stand apart, inside %d pixels', (width) => {
    fc.assert(
      fc.property(random, (nodes) => expectApart(nodes, width)),
      { seed: 7, numRuns: 40 },
    );
  });

  test('of 60 layers are large enough for names, of 200 for numbers; both fit half a screen', () => {
    const small = networkLayout(residual(20), 1316);
    const large = networkLayout(residual(66), 1316);
    expect([small.tile.width >= 32, small.height <= 370]).toEqual([true, true]);
    expect([large.tile.width >= 18, large.height <= 424]).toEqual([true, true]);
  });

  test('of a block stand beside each other, branches below', () => {
    const nodes: GraphNode[] = [
      { name: 'b.0.in', inputs: [] },
      { name: 'b.0.left', inputs: [0] },
      { name: 'b.0.right', inputs: [0] },
      { name: 'b.0.cat', inputs: [1, 2] },
    ];
    const { tiles, labels } = networkLayout(nodes, 1000);
    expect(tiles[1].x).toBe(tiles[2].x);
    expect(tiles[2].y).toBeGreaterThan(tiles[1].y);
    expect(tiles[3].x).toBeGreaterThan(tiles[1].x);
    expect(labels.map(({ text }) => text)).toEqual(['b.0']);
  });
});

/** A residual block whose shortcut has a layer of its own, named before the long way. */
const shortcut: GraphNode[] = [
  { name: 'b.0.down', inputs: [] },
  { name: 'b.0.conv1', inputs: [] },
  { name: 'b.0.relu', inputs: [1] },
  { name: 'b.0.conv2', inputs: [2] },
  { name: 'b.0.add', inputs: [3, 0] },
];

test('of a block of several rows, each says which layer it begins with', () => {
  const nodes = Array.from({ length: 120 }, (_, i) => ({ name: `body.${i}`, inputs: i > 0 ? [i - 1] : [] }));
  const { labels, tiles } = networkLayout(nodes, 1000);
  const rows = tiles.flatMap(({ x }, i) => (x === 0 ? [i] : []));
  expect(rows.length).toBeGreaterThan(2);
  expect(labels.map(({ text }) => text)).toEqual(rows.map((i) => (i === 0 ? 'body' : `body.${i} …`)));
});

test('the longest way is straight, whatever comes first in the file', () => {
  const { tiles } = networkLayout(shortcut, 1316);
  expect(new Set(tiles.slice(1).map(({ y }) => y)).size).toBe(1);
  expect(tiles[0].y).toBeGreaterThan(tiles[1].y);
});

test.each([
  [
    ['b.0.x', 'b.0.y', 'b.1.x', 'b.1.y'],
    ['b.0', 'b.1'],
  ],
  [
    ['stages.0.0.x', 'stages.0.0.y', 'stages.0.1.x', 'stages.0.1.y'],
    ['stages.0.0', 'stages.0.1'],
  ],
  [
    ['encoder.0.0', 'encoder.0.1', 'encoder.1.0'],
    ['encoder.0', 'encoder.1'],
  ],
  [
    ['features.conv', 'features.relu', 'fc.1'],
    ['features', 'fc'],
  ],
  [
    ['/d1/d1.0/Conv_output_0', '/pool/MaxPool_output_0', '/d2/d2.0/Conv_output_0'],
    ['d1.d1.0', 'pool', 'd2.d2.0'],
  ],
])('blocks of %j', (names, blocks) => {
  expect(networkLayout(chain(names), 1316).labels.map(({ text }) => text)).toEqual(blocks);
});

test('a sum at the end of a block stands in it, though its name is not the block’s', () => {
  const nodes = chain(['stem', 'b.0.x', 'b.0.y', 'add', 'b.1.x', 'fc']);
  const joined = nodes.map((node, i) => (i === 3 ? { ...node, inputs: [2, 0] } : node));
  expect(networkLayout(joined, 1316).tiles[3].x).toBeLessThan(networkLayout(nodes, 1316).tiles[3].x);
});

describe('lines', () => {
  test('of a chain are straight', () => {
    const { edges } = networkLayout(chain(['a', 'b', 'c']), 1000);
    expect(edges).toHaveLength(2);
    for (const edge of edges) expect(edge).toMatch(/^M\d+ \d+H\d+$/);
  });

  test('of another lane stay in it up to what reads them', () => {
    const { edges, tiles } = networkLayout(shortcut, 1316);
    const [, turn, up] = /H([\d.]+)V([\d.]+)H/.exec(edges.find((edge) => edge.includes('V'))!)!.map(Number);
    expect([turn > tiles[3].x, turn < tiles[4].x, up < tiles[0].y]).toEqual([true, true, true]);
  });

  test('that skip a tile go over it', () => {
    const { edges, tiles } = networkLayout(residual(1), 1000);
    const over = edges.find((edge) => edge.includes('V'))!;
    expect(Number(/V(-?[\d.]+)H/.exec(over)![1])).toBeLessThan(tiles[1].y);
  });
});

test('a name that is a file or a symbol groups nothing it should not', () => {
  expect(networkLayout(chain(['', '.', '..', '/', '0', '1.2', '__proto__.1.x']), 400).tiles).toHaveLength(7);
});
