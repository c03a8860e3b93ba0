/** Where the tiles of a network stand: blocks of layers flow in rows like words, since a network is long and thin. */
import { grouped } from '../grouped.js';

export interface GraphNode {
  readonly name: string;
  /** Indices of the nodes that it reads; all lower than its own. */
  readonly inputs: readonly number[];
}

interface Tile {
  readonly x: number;
  readonly y: number;
}

interface BlockLabel extends Tile {
  readonly text: string;
  /** Up to the next block. */
  readonly width: number;
}

export interface NetworkLayout {
  readonly width: number;
  readonly height: number;
  readonly tile: { readonly width: number; readonly height: number };
  /** A node each. */
  readonly tiles: readonly Tile[];
  readonly labels: readonly BlockLabel[];
  /** SVG paths. */
  readonly edges: readonly string[];
}

interface Block {
  readonly label: string;
  readonly nodes: readonly number[];
  /** Of each node. */
  readonly columns: readonly number[];
  readonly lanes: readonly number[];
  readonly width: number;
  readonly lanesInAll: number;
}

const TILE_WIDTHS = [176, 148, 118, 74, 66, 58, 50, 44, 38, 32, 26, 22, 18, 13];
const [HIGHEST, HIGHEST_OF_MANY, MANY] = [370, 424, 100];
/** Tiles with room for three lines: of a network that is one row of them. */
export const WIDE = 118;
/** Narrower tiles have room for a number alone: of a name no more than a letter was left. */
export const NARROW = 44;
const HIGHEST_OF_WIDE = 100;
/** Of a block whose nodes have no names to group by. */
const LEAST_OF_A_BLOCK = 3;
/** Room above a row for lines that pass over tiles. */
const OVER = 14;
/** Of a line that changes its lane, from the tile. */
const BESIDE = 3;
const LABEL = 16;

/** The largest tiles with which the picture is not higher than a screen's half. */
export function networkLayout(nodes: readonly GraphNode[], width: number): NetworkLayout {
  const blocks = blocksOf(nodes);
  const limitOf = (tile: number) => (tile >= WIDE ? HIGHEST_OF_WIDE : nodes.length > MANY ? HIGHEST_OF_MANY : HIGHEST);
  let layout = laidOut(nodes, blocks, width, TILE_WIDTHS[0]);
  for (const tileWidth of TILE_WIDTHS.slice(1)) {
    if (layout.height <= limitOf(layout.tile.width) && layout.width <= width) break;
    layout = laidOut(nodes, blocks, width, tileWidth);
  }
  return layout;
}

// ---------------------------------------------------------------- blocks

/** Neighbours with the same beginning of their names, up to the first number; without such names, up to a single value. */
function blocksOf(nodes: readonly GraphNode[]): Block[] {
  const named = nodes.some(({ name }) => prefixOf(name) !== null);
  const groups = named ? groupsByName(nodes) : groupsByCut(nodes);
  return groups.map(({ label, members }) => arranged(nodes, label, members));
}

/**
 * "layer1.0" of layer1.0.conv1, "stages.0.1" of stages.0.1.conv1, "encoder.3" of encoder.3.attn.q and encoder.3.0, "features" of
 * features.conv, "d1" of /d1/Conv_output_0; null: a name of one part.
 */
export function prefixOf(name: string): string | null {
  const parts = name.split(/[./]/).filter((part) => part !== ''); // ONNX begins with a slash
  if (parts.length < 2) return null;
  const isNumber = (part: string) => /^\d+$/.test(part);
  const first = parts.findIndex(isNumber);
  if (first < 1 || first === parts.length - 1) return parts[0];
  const rest = parts.slice(first, -1);
  const numbers = rest.findIndex((part) => !isNumber(part));
  return parts.slice(0, first + (numbers < 0 ? rest.length : numbers)).join('.');
}

function groupsByName(nodes: readonly GraphNode[]) {
  const groups: { label: string; members: number[] }[] = [];
  for (const [i, { name, inputs }] of nodes.entries()) {
    const label = prefixOf(name) ?? '';
    const last = groups.at(-1);
    // what a traced graph adds at a block's end has no name of the block's
    const isJoin = label === '' && inputs.length > 1 && inputs.includes(i - 1);
    if (last && (last.label === label || isJoin)) last.members.push(i);
    else groups.push({ label, members: [i] });
  }
  return groups;
}

function groupsByCut(nodes: readonly GraphNode[]) {
  const lastReader = nodes.map((_, i) => i);
  for (const [i, { inputs }] of nodes.entries()) for (const input of inputs) lastReader[input] = i;
  const groups: { label: string; members: number[] }[] = [];
  let open: number[] = [];
  let reach = 0; // the last node that reads anything of the block but its end
  for (const i of nodes.keys()) {
    open.push(i);
    if (open.length >= LEAST_OF_A_BLOCK && reach <= i) {
      groups.push({ label: '', members: open });
      open = [];
    } else reach = Math.max(reach, lastReader[i]);
  }
  if (open.length > 0) groups.push({ label: '', members: open });
  return groups;
}

/** Column: the longest way from the block's entry; lane: what it reads has, else the smallest free; the longest way on chooses first. */
function arranged(nodes: readonly GraphNode[], label: string, members: readonly number[]): Block {
  const at = new Map(members.map((node, i) => [node, i]));
  const inside = members.map((node, i) =>
    nodes[node].inputs.flatMap((input) => at.get(input) ?? []).filter((input) => input < i),
  );
  const columns: number[] = [];
  for (const inputs of inside) {
    columns.push(inputs.reduce((most, input) => Math.max(most, columns[input] + 1), 0));
  }
  const left = members.map(() => 0); // columns from here to the end of the longest way on
  for (let i = members.length - 1; i >= 0; i--) {
    for (const input of inside[i]) left[input] = Math.max(left[input], left[i] + 1);
  }
  const lanes: number[] = [];
  const order = [...members.keys()].sort((a, b) => columns[a] - columns[b] || left[b] - left[a] || a - b);
  let [column, taken] = [0, new Set<number>()]; // lanes of a column
  for (const i of order) {
    if (columns[i] !== column) [column, taken] = [columns[i], new Set()];
    const free = inside[i].map((input) => lanes[input]).filter((lane) => !taken.has(lane));
    let lane = free.length > 0 ? Math.min(...free) : 0;
    while (taken.has(lane)) lane++;
    lanes[i] = lane;
    taken.add(lane);
  }
  const most = (all: readonly number[]) => all.reduce((top, one) => Math.max(top, one), 0) + 1;
  return { label, nodes: members, columns, lanes, width: most(columns), lanesInAll: most(lanes) };
}

// ---------------------------------------------------------------- rows

function laidOut(
  nodes: readonly GraphNode[],
  blocks: readonly Block[],
  width: number,
  tileWidth: number,
): NetworkLayout {
  const tile = { width: tileWidth, height: heightOf(tileWidth) };
  const gap = {
    x: tileWidth >= WIDE ? 14 : tileWidth >= 32 ? 9 : 5,
    y: 8,
    block: tileWidth >= WIDE ? 18 : tileWidth >= 32 ? 24 : 12,
  };
  const column = tile.width + gap.x;
  const labelled = tileWidth >= 22 && blocks.some(({ label }) => label !== '');
  const perRow = Math.max(1, Math.floor((width + gap.x) / column));
  const tiles: Tile[] = new Array(nodes.length);
  const rowOf: number[] = new Array(nodes.length);
  const labels: BlockLabel[] = [];
  let [x, y, row, rowHeight, used, lowest] = [0, OVER, 0, 0, 0, 0];
  for (const block of blocks.flatMap((block) => pieces(block, perRow))) {
    const blockWidth = block.width * column - gap.x;
    if (x > 0 && x + blockWidth > width) [x, y, row, rowHeight] = [0, y + rowHeight + OVER, row + 1, 0];
    for (const [i, node] of block.nodes.entries()) {
      tiles[node] = { x: x + block.columns[i] * column, y: y + block.lanes[i] * (tile.height + gap.y) };
      rowOf[node] = row;
    }
    const bottom = block.lanesInAll * (tile.height + gap.y) - gap.y;
    // layers of their own are named by their tiles, where these have the room
    const text = block.label || (tileWidth < NARROW ? firstOf(block.nodes.map((node) => nodes[node].name)) : '');
    const isLabelled = labelled && text !== '';
    if (isLabelled) labels.push({ text, x, y: y + bottom + 12, width: Math.min(blockWidth + gap.block, width - x) });
    rowHeight = Math.max(rowHeight, bottom + (labelled ? LABEL : gap.y));
    lowest = Math.max(lowest, y + bottom + (isLabelled ? LABEL : 0));
    used = Math.max(used, x + blockWidth);
    x += blockWidth + gap.block;
  }
  const edges = edgesOf(nodes, tiles, rowOf, tile);
  return { width: used, height: lowest, tile, tiles, labels, edges };
}

/** Where a row of tiles without names begins. */
function firstOf(names: readonly string[]): string {
  return names.length > 1 ? `${names[0]} …` : names[0];
}

function heightOf(tileWidth: number): number {
  if (tileWidth >= WIDE) return 56;
  if (tileWidth >= 32) return 34;
  return tileWidth >= 18 ? 20 : 13;
}

/** A block that is wider than a row is cut into columns that fit. */
function pieces(block: Block, perRow: number): Block[] {
  if (block.width <= perRow) return [block];
  const parts: Block[] = [];
  for (let from = 0; from < block.width; from += perRow) {
    const chosen = [...block.nodes.keys()].filter((i) => Math.floor(block.columns[i] / perRow) * perRow === from);
    parts.push({
      label: from === 0 ? block.label : '',
      nodes: chosen.map((i) => block.nodes[i]),
      columns: chosen.map((i) => block.columns[i] - from),
      lanes: chosen.map((i) => block.lanes[i]),
      width: Math.min(perRow, block.width - from),
      lanesInAll: chosen.reduce((most, i) => Math.max(most, block.lanes[i] + 1), 1),
    });
  }
  return parts;
}

// ---------------------------------------------------------------- lines

function edgesOf(
  nodes: readonly GraphNode[],
  tiles: readonly Tile[],
  rowOf: readonly number[],
  { width, height }: NetworkLayout['tile'],
): string[] {
  const paths: string[] = [];
  const middle = height / 2;
  const rows = grouped([...nodes.keys()], (node) => rowOf[node]);
  for (const [to, { inputs }] of nodes.entries()) {
    for (const from of inputs) {
      const [a, b] = [tiles[from], tiles[to]];
      const start = { x: a.x + width, y: a.y + middle };
      /** Whether no tile stands between the two in a lane. */
      const isFree = (y: number) => {
        return !rows.get(rowOf[to])!.some((i) => tiles[i].y === y && tiles[i].x > a.x && tiles[i].x < b.x);
      };
      if (rowOf[from] !== rowOf[to]) {
        paths.push(`M${start.x} ${start.y}h5`, `M${b.x} ${b.y + middle}h-5`); // its row is another one
      } else if (b.x < start.x) {
        paths.push(`M${a.x + width / 2} ${a.y + height}V${b.y}`);
      } else if (isFree(a.y)) {
        paths.push(`M${start.x} ${start.y}${a.y === b.y ? '' : `H${b.x - BESIDE}V${b.y + middle}`}H${b.x}`);
      } else if (a.y !== b.y && isFree(b.y)) {
        paths.push(`M${start.x} ${start.y}h${BESIDE}V${b.y + middle}H${b.x}`);
      } else {
        paths.push(`M${start.x} ${start.y}h${BESIDE}V${a.y - OVER / 2}H${b.x + width / 2}V${b.y}`);
      }
    }
  }
  return [...new Set(paths)];
}
