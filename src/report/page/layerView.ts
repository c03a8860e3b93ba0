/** One layer: its causes, its channels, the worst of them as pictures, and beside them one value. */
import type { PageDetails } from '../../documents/blob.js';
import { percent } from '../words/numbers.js';
import { hashOf, layerHref, type Place } from './address.js';
import { BINS, cssClass, EQUAL_BIN, number } from './classes.js';
import { addCopyButtons, element, roving } from './dom.js';
import { channelText, isCompared, type Layer, layerText, type Model, positionOf, sizeText } from './model.js';
import { key, legend } from './network.js';
import { type Cell, drawPicture, type Picture, pictureOf, same, thumbnail } from './picture.js';
import { valuePanel } from './value.js';

/** Cells with their number inside; of more there are rows of small ones. */
const MOST_NUMBERED = 160;
const MOST_THUMBNAILS = 8;

export function layerView(place: Place): HTMLElement {
  const { model } = place;
  const layer = place.layer!;
  const view = element('section', { class: 'layer' }, header(model, layer), why(model, layer));
  if (!isCompared(layer) || layer.mismatched === 0) {
    view.append(element('p', { class: 'sentence' }, layerText(layer)));
    return view;
  }
  const channel = place.channel ?? layer.worst[0] ?? layer.channels[0] ?? 0;
  const details = layer.details.get(channel);
  const picture = details ? pictureOf(details, layer.step) : null;
  const cell = picture && chosenCell(place, picture, details?.explained ?? null);
  const work = element('div', { class: 'work' }, channels(model, layer, channel));
  work.append(...thumbnails(model, layer, channel), ofChannel(model, layer, channel, picture, cell));
  const beside = element('div', { class: 'beside' }, work, valuePanel(model, layer, channel, cell));
  beside.append(histogramOf(layer, channel));
  view.append(counts(model, layer), beside);
  return view;
}

function header(model: Model, layer: Layer): HTMLElement {
  const shape = layer.shape.length > 0 ? ` · ${layer.shape.join('×')}` : '';
  const reads = layer.inputs.map((input) => model.layers[input]);
  const about = element('span', { class: 'about' }, `${layer.op}${shape}`);
  for (const [i, input] of reads.entries()) {
    about.append(i === 0 ? ' · reads ' : ', ', element('a', { href: layerHref(model, input) }, input.name));
  }
  const step = (label: string, to: Layer | undefined) =>
    to ? element('a', { href: layerHref(model, to), class: 'step' }, label) : element('span', { class: 'step' }, label);
  return element(
    'header',
    {},
    element('h1', { tabindex: '-1' }, layer.name),
    about,
    element(
      'nav',
      { 'aria-label': 'Layers' },
      step('‹ previous', model.layers[layer.index - 1]),
      step('next ›', model.layers[layer.index + 1]),
    ),
  );
}

/** Its finding; behind it, closed, what the card says: whoever follows a link to a layer looks for the fix here. */
function why(model: Model, layer: Layer): HTMLElement {
  const finding = model.findings[layer.finding];
  if (!finding) return element('p', { class: 'why' }, layer.why ?? '');
  const line = [element('span', { class: 'letter' }, finding.letter), ' ', element('b', {}, finding.title)];
  const section = document.querySelectorAll('section.run')[model.index];
  const details = section?.querySelector(`.card[data-finding="${layer.finding}"] .details`);
  if (!details) return element('p', { class: 'why' }, ...line);
  const own = details.cloneNode(true) as HTMLElement;
  for (const button of own.querySelectorAll('button')) button.remove(); // a copy of it does nothing
  addCopyButtons(own);
  const view = element('details', { class: 'why card' }, element('summary', {}, ...line), own);
  view.open = isFindingOpen;
  view.addEventListener('toggle', () => {
    isFindingOpen = view.open;
  });
  return view;
}

/** From channel to channel, and from layer to layer. */
let isFindingOpen = false;

function counts({ sides }: Model, layer: Layer): HTMLElement {
  const { mismatched, values, maxAbsDiff, reference, onOwnInput } = layer;
  const fact = (name: string, big: string, rest: string) =>
    element('div', {}, element('dt', {}, name), element('dd', {}, element('b', {}, big), ` ${rest}`));
  const facts = [
    fact(
      `${sides.actual} against ${sides.expected}`,
      number(mismatched),
      `of ${number(values)} differ (${percent(mismatched, values)}), up to ${sizeText(layer, maxAbsDiff)}`,
    ),
  ];
  if (reference) {
    facts.push(fact(`${sides.expected} against the replay`, number(reference.mismatched), departs(layer, reference)));
  }
  if (onOwnInput) {
    const input = onOwnInput.read === 'own' ? 'its own input' : 'the captured input';
    const name = `${sides.actual} against the replay, on ${input}`;
    facts.push(fact(name, number(onOwnInput.mismatched), departs(layer, onOwnInput)));
  }
  facts.push(fact('channels', number(layer.differing), `of ${number(layer.outFeatures)} differ`));
  return element('dl', { class: 'facts' }, ...facts);
}

/** Of the sides, the one that is not exact departs. */
function departs(layer: Layer, { mismatched, maxAbsDiff }: { mismatched: number; maxAbsDiff: number }): string {
  return mismatched === 0 ? 'differ: it is exact' : `differ, up to ${sizeText(layer, maxAbsDiff)}`;
}

// ---------------------------------------------------------------- channels

function channels(model: Model, layer: Layer, chosen: number): HTMLElement {
  const each = layer.channelsPerCell;
  const cells = Math.ceil(layer.outFeatures / each);
  const sizes = new Float32Array(cells);
  const worst = Int32Array.from({ length: cells }, (_, i) => i * each);
  for (const [i, channel] of layer.channels.entries()) {
    const at = Math.floor(channel / each);
    if (layer.sizes[i] > sizes[at]) [sizes[at], worst[at]] = [layer.sizes[i], channel];
  }
  const numbered = cells <= MOST_NUMBERED;
  const grid = element('div', {
    class: numbered ? 'channels' : 'channels many',
    role: 'group',
    'aria-label': 'Channels, a link each',
  });
  const links = Array.from(worst, (channel, i) => {
    const text = `channel ${channel}: ${channelText(layer, channel, model)}`;
    const link = element('a', {
      href: layerHref(model, layer, channel),
      class: cssClass(sizes[i] / layer.step),
      title: text,
      'aria-label': text,
    });
    if (numbered) link.textContent = String(channel);
    if (channel === chosen) link.setAttribute('aria-current', 'true');
    return link;
  });
  grid.append(...links);
  roving(grid, links, Math.floor(chosen / each), () =>
    Math.max(
      1,
      links.findIndex((link) => link.offsetTop > links[0].offsetTop),
    ),
  );
  const of = each > 1 ? `, a cell is the worst of ${each}` : '';
  const head = element(
    'div',
    { class: 'head' },
    element('h2', {}, 'Channels'),
    element('span', {}, `${number(layer.differing)} of ${number(layer.outFeatures)} differ${of}`),
    legend(false),
  );
  return element('section', {}, head, grid);
}

/** None where channels have no positions, or none is kept. */
function thumbnails(model: Model, layer: Layer, chosen: number): HTMLElement[] {
  const worst = [...layer.details.values()].filter(({ map }) => map).slice(0, MOST_THUMBNAILS);
  const links = worst.map((details) => {
    const { channel } = details;
    const link = element(
      'a',
      { href: layerHref(model, layer, channel), 'aria-label': `channel ${channel} as an image` },
      thumbnail(pictureOf(details, layer.step)),
      String(channel),
    );
    if (channel === chosen) link.setAttribute('aria-current', 'true');
    return link;
  });
  if (links.length === 0) return [];
  const head = element(
    'div',
    { class: 'head' },
    element('h2', {}, 'Worst channels as images'),
    element('span', {}, 'of the sample with the worst value'),
    signs(),
  );
  return [element('section', {}, head, element('div', { class: 'thumbnails' }, ...links))];
}

// ---------------------------------------------------------------- one channel

function chosenCell({ sample, at }: Place, { cells }: Picture, explained: PageDetails['explained']): Cell | null {
  const wanted = sample === null ? undefined : cells.find((cell) => same(cell, { ...cell, sample, at }));
  const worked =
    explained && cells.find((cell) => cell.sample === explained.sample && cell.at.join() === explained.at.join());
  const off = (cell: Cell) => Math.abs(cell.actual - cell.expected);
  const worst = cells.reduce<Cell | null>((most, cell) => (most === null || off(cell) > off(most) ? cell : most), null);
  return wanted ?? worked ?? worst;
}

function ofChannel(
  model: Model,
  layer: Layer,
  channel: number,
  picture: Picture | null,
  cell: Cell | null,
): HTMLElement {
  const head = element(
    'div',
    { class: 'head' },
    element('h2', {}, `Channel ${channel}`),
    element('span', {}, channelText(layer, channel, model)),
  );
  if (!picture) {
    const kept = [...layer.details.keys()];
    const hint =
      kept.length > 0
        ? `Single values are kept of channels ${kept.join(', ')}.`
        : 'Single values of this layer are not kept.';
    const words = element('p', { class: 'hint' }, `${hint} qdiff explain shows any value.`);
    return element('section', {}, head, words);
  }
  const hrefOf = ({ sample, at }: Cell) => hashOf({ model, layer, channel, sample, at });
  if (!picture.cells.some(({ at }) => at.length > 0)) head.append(signs()); // images have it above
  return element('section', {}, head, drawPicture(picture, cell, hrefOf));
}

/** Which way the colours of a picture go; a map of sizes has those of higher alone. */
function signs(): HTMLElement {
  return element('p', { class: 'legend' }, key('c3', 'actual is higher'), key('l3', 'lower'));
}

/** Differences by size: the channel's, or the layer's where the channel has none of its own. */
function histogramOf(layer: Layer, channel: number): HTMLElement | string {
  const own = positionOf(layer, channel) >= 0 ? layer.histogramOf.get(channel) : undefined;
  const bins = own ?? layer.histogram;
  if (layer.unit === 'real' && bins.slice(1, -1).every((count, i) => count === 0 || i + 1 === EQUAL_BIN)) return '';
  const top = bins.reduce((most, count, i) => (i === EQUAL_BIN ? most : Math.max(most, count)), 1);
  const bars = bins.flatMap((count, i) => {
    if (i === EQUAL_BIN) return [];
    const bar = element('span', { class: `bar ${i < EQUAL_BIN ? 'l' : 'c'}${Math.abs(i - EQUAL_BIN)}` });
    bar.style.setProperty('height', `${count === 0 ? 0 : Math.max(2, Math.round((count / top) * 90))}px`);
    return [element('li', {}, element('span', {}, count > 0 ? number(count) : ''), bar, element('span', {}, BINS[i]))];
  });
  return element(
    'figure',
    { class: 'histogram' },
    element('h3', {}, own ? `Channel ${channel}, by size` : 'All channels, by size'),
    element(
      'figcaption',
      {},
      [
        ...(layer.unit === 'lsb' ? [] : ['units in the last place']),
        ...(bins[EQUAL_BIN] > 0 ? [`${number(bins[EQUAL_BIN])} equal values not drawn`] : []),
      ].join('; '),
    ),
    element('ol', {}, ...bars),
  );
}
