/** The network as it is, every layer a link, coloured by its largest difference. */
import { percent } from '../words/numbers.js';
import { CLASS_NAMES, cssClass, short } from './classes.js';
import { element, placed, roving, svg } from './dom.js';
import { hasOwnCause, isCompared, type Layer, layerText, type Model, sizeText } from './model.js';
import { NARROW, type NetworkLayout, networkLayout, prefixOf, WIDE } from './networkLayout.js';

/** More layers: runs of equal ones are one tile. */
const MOST_TILES = 400;
const LEAST_TO_FOLD = 3;

/** A tile: a layer, or a run of equal layers. */
interface Node {
  readonly name: string;
  readonly layers: readonly Layer[];
  readonly inputs: readonly number[];
}

export function drawNetwork(place: HTMLElement, model: Model, hrefOf: (layer: Layer) => string): void {
  if (model.layers.length < 2) return;
  const nodes = nodesOf(model.layers);
  const map = element('div', { class: 'map', role: 'group', 'aria-label': 'The network: a link a layer' });
  place.append(element('div', { class: 'head' }, element('h2', {}, 'Network'), legend()), map);
  let drawn = 0;
  const draw = () => {
    const width = map.clientWidth;
    if (width === drawn || width === 0) return;
    drawn = width;
    fill(map, model, nodes, networkLayout(nodes, width), hrefOf);
  };
  draw();
  new ResizeObserver(draw).observe(map);
}

/** Pixels of a letter of a block's name. */
const LETTER = 6.4;

/** kinds: what is no size. */
export function legend(kinds = true): HTMLElement {
  const classes = CLASS_NAMES.slice(1).map((name, i) => element('span', { class: `c${i + 1}` }, name));
  return element(
    'p',
    { class: 'legend' },
    '|difference| ',
    element('span', { class: 'classes' }, ...classes),
    ' steps (floats: range / 256)',
    ...(kinds ? [key('equal', 'equal'), key('hollow', 'inherited only'), key('dashed', 'not compared')] : []),
  );
}

export function key(look: string, words: string): HTMLElement {
  return element('span', { class: 'kind' }, element('span', { class: `key ${look}` }), ` ${words}`);
}

function nodesOf(layers: readonly Layer[]): Node[] {
  const runs = layers.length > MOST_TILES ? folded(layers) : layers.map((layer) => [layer]);
  const nodeOf = new Map(runs.flatMap((run, i) => run.map((layer) => [layer.index, i] as const)));
  return runs.map((run, i) => {
    const inputs = run.flatMap((layer) => layer.inputs.map((input) => nodeOf.get(input)!));
    return { name: run[0].name, layers: run, inputs: [...new Set(inputs)].filter((input) => input < i) };
  });
}

/** A layer that differs never folds. */
function folded(layers: readonly Layer[]): Layer[][] {
  const runs: Layer[][] = [];
  for (const layer of layers) {
    const last = runs.at(-1);
    if (last && layer.mismatched === 0 && last[0].mismatched === 0 && isCompared(layer) === isCompared(last[0])) {
      last.push(layer);
    } else runs.push([layer]);
  }
  return runs.flatMap((run) => (run.length >= LEAST_TO_FOLD ? [run] : run.map((layer) => [layer])));
}

function fill(
  map: HTMLElement,
  model: Model,
  nodes: readonly Node[],
  layout: NetworkLayout,
  hrefOf: (layer: Layer) => string,
): void {
  const lines = svg(
    'svg',
    { width: layout.width, height: layout.height, 'aria-hidden': 'true' },
    svg('path', { d: layout.edges.join('') }),
  );
  const first = model.layers.find((layer) => layer.mismatched > 0 && layer.accepted === null);
  const tiles = nodes.map(({ layers }, i) => {
    const tile = tileOf(layers, model, layout.tile.width, hrefOf);
    if (first && layers[0] === first) tile.classList.add('first');
    return placed(tile, { left: layout.tiles[i].x, top: layout.tiles[i].y, ...layout.tile });
  });
  const labels = layout.labels.map(({ text, x, y, width }) => {
    const label = element('span', { class: 'block', 'aria-hidden': 'true' }, fitting(text, width));
    return placed(label, { left: x, top: y - 10, width: width - 2 });
  });
  map.replaceChildren(lines, ...labels, ...tiles);
  placed(map, { height: layout.height + 4 });
  roving(map, tiles, 0, () => tiles.length);
}

/** With room for a finding's letter. */
const LETTERED = 32;

/** The last part; of layer2.0.down.0 in block layer2.0 `down.0`; of a tensor's name what it has of its node's. */
function ownName(name: string): string {
  const parts = name.split(/[./]/);
  const last = parts.at(-1)!;
  if (/^\d+$/.test(last) && `${prefixOf(name)}.${last}` !== name) return parts.slice(-2).join('.');
  return last.replace(/(?<=.)_QuantizeLinear_Output$/, '').replace(/(?<=.)_output_\d+(?=_quantized$|$)/, '');
}

/** What is kept of a name's end, where it often differs: "quanti…e@2". */
const TAIL = 3;
/** No tile has room for more. */
const MOST_LETTERS = 40;
const pen = document.createElement('canvas').getContext('2d')!;

function fittingInside(name: string, isWide: boolean, width: number): string {
  const room = width - (isWide ? 16 : 8); // page.css: the tile's padding, and its font
  pen.font = `${isWide ? '650 13px' : '11px'} ${getComputedStyle(document.body).fontFamily}`;
  const fits = (text: string) => pen.measureText(text).width <= room;
  if (fits(name)) return name;
  for (let tail = TAIL; tail > 1; tail--) {
    for (let head = Math.min(name.length - tail - 2, MOST_LETTERS); head > 0; head--) {
      const shown = `${name.slice(0, head)}…${name.slice(-tail)}`;
      if (fits(shown)) return shown;
    }
  }
  return name; // the style cuts it
}

function tileOf(
  layers: readonly Layer[],
  model: Model,
  width: number,
  hrefOf: (layer: Layer) => string,
): HTMLAnchorElement {
  const [layer] = layers;
  const text = layers.length > 1 ? `${layers.length} layers from ${layer.name}: equal` : layerText(layer);
  const tile = element('a', {
    href: hrefOf(layer),
    class: `tile ${stateOf(layer)}`,
    title: text,
    'data-finding': String(layer.finding),
  });
  if (width >= WIDE) tile.classList.add('wide');
  if (width < NARROW) {
    tile.classList.add('narrow');
    tile.setAttribute('aria-label', text); // a number alone; where a name is seen it is the link's, and the title describes it
  }
  const own = fittingInside(ownName(layer.name), width >= WIDE, width);
  const shown = layer.mismatched > 0 ? short(layer.maxAbsDiff) : isCompared(layer) ? '=' : '–';
  if (width >= NARROW)
    tile.append(element('span', { class: 'own' }, layers.length > 1 ? `${layers.length} equal` : own));
  if (width >= WIDE && layers.length === 1) tile.append(...inWords(layer, shown));
  else if (width >= 18) tile.append(element('b', shown.length > 2 ? { class: 'long' } : {}, shown));
  const letter = model.findings[layer.finding]?.letter;
  if (letter && hasOwnCause(layer) && width >= LETTERED) tile.append(element('i', { class: 'letter' }, letter));
  return tile;
}

/** Of a tile with room: the op, by how much it differs, and how often. */
function inWords(layer: Layer, shown: string): HTMLElement[] {
  const { op, unit, mismatched, values } = layer;
  const differs = mismatched > 0;
  const size = differs && unit !== 'real' ? sizeText(layer, layer.maxAbsDiff) : shown;
  const state = isCompared(layer) ? 'equal' : 'not compared';
  const often = differs ? [element('span', {}, percent(mismatched, values))] : [];
  return [element('span', { class: 'op' }, op), element('b', {}, differs ? size : state, ...often)];
}

/** Of a name without room its last part, which tells it from its neighbours. */
function fitting(text: string, width: number): string {
  return text.length * LETTER <= width ? text : text.slice(text.lastIndexOf('.') + 1);
}

/** Its class of size; a frame alone where it only inherits; dashed where it was compared with nothing. */
export function stateOf(layer: Layer): string {
  if (!isCompared(layer)) return 'dashed';
  const size = cssClass(layer.maxAbsDiff / layer.step);
  if (layer.mismatched === 0) return 'c0';
  if (layer.accepted) return `${size} accepted`;
  return layer.inherited ? `${size} hollow` : size;
}
