/** The page's script: filters, charts, and the way from a layer to a channel to one value's arithmetic. */
import type { PageDetails, PageExplained } from '../../documents/blob.js';
import {
  BINS,
  type Chart,
  channelBars,
  type HeatmapChart,
  heatmap,
  histogram,
  histogramText,
  scatter,
} from './charts.js';
import type { PageData, PageRun } from './data.js';
import { channelText, type Layer, layersOf, positionOf, short } from './model.js';

/** Rows of a chart's table for those who cannot see the chart. */
const MOST_ROWS = 500;

const VALUES: Readonly<Record<string, (layer: Layer, position: number) => number>> = {
  'max |diff|': (layer, i) => layer.maxAbsDiff[i],
  'values that differ': (layer, i) => layer.counts[i],
  '|mean diff|': (layer, i) => layer.meanDiff[i],
};

type Child = Node | string;

function element<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Readonly<Record<string, string>> = {},
  ...children: Child[]
): HTMLElementTagNameMap[K] {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** All views of one model, and what is selected in them. */
class RunView {
  private readonly layers: readonly Layer[];
  private shown: readonly Layer[] = [];
  private layer: Layer | null = null;
  private channel = 0;
  private heat: HeatmapChart | null = null;
  private charts: Chart[] = [];
  private readonly nameFilter = element('input', { type: 'search', placeholder: 'part of a name' });
  private readonly causeFilter = element('select');
  private readonly valueChoice = element('select');
  private readonly heatPlace = element('div', { class: 'plot heatmap', tabindex: '0', role: 'application' });
  private readonly where = element('p', { class: 'where', 'aria-live': 'polite' });
  private readonly layerPlace = element('div', { class: 'layer', 'aria-live': 'off' });
  private readonly rows: readonly HTMLTableRowElement[];

  constructor(
    private readonly run: PageRun,
    private readonly place: HTMLElement,
  ) {
    this.layers = layersOf(run);
    this.rows = [...place.parentElement!.querySelectorAll<HTMLTableRowElement>('.layers tr[data-layer]')];
  }

  show(): void {
    this.place.append(this.filters(), this.heatFigure(), this.layerPlace);
    this.linkRows();
    this.filter();
    const first = this.layers.find(({ channels, status }) => status === 'mismatch' && channels.length > 0);
    if (first) this.pickLayer(first, first.worst[0]);
  }

  redraw(): void {
    this.heat?.redraw();
    for (const chart of this.charts) chart.redraw();
  }

  // -------------------------------------------------------------- filters

  private filters(): HTMLElement {
    this.causeFilter.append(element('option', { value: '' }, 'every cause'));
    for (const [i, causes] of this.run.causeSets.entries()) {
      this.causeFilter.append(element('option', { value: String(i) }, causes));
    }
    for (const name of Object.keys(VALUES)) this.valueChoice.append(element('option', {}, name));
    const clear = element('button', { type: 'button' }, 'show all');
    clear.addEventListener('click', () => {
      this.nameFilter.value = '';
      this.causeFilter.value = '';
      this.filter();
    });
    this.nameFilter.addEventListener('input', () => this.filter());
    for (const choice of [this.causeFilter, this.valueChoice]) choice.addEventListener('change', () => this.filter());
    const labelled = (label: string, control: HTMLElement) => element('label', {}, label, control);
    return element(
      'div',
      { class: 'filters', role: 'search', 'aria-label': 'Filters' },
      labelled('Layer', this.nameFilter),
      labelled('Cause', this.causeFilter),
      labelled('Colour', this.valueChoice),
      clear,
    );
  }

  private filter(): void {
    const name = this.nameFilter.value.trim().toLowerCase();
    const cause = this.causeFilter.value === '' ? null : Number(this.causeFilter.value);
    const passes = (layer: Layer) =>
      layer.name.toLowerCase().includes(name) && (cause === null || layer.causeSet.includes(cause));
    this.shown = this.layers.filter(passes);
    for (const row of this.rows) row.hidden = !passes(this.layers[Number(row.dataset.layer)]);
    this.drawHeat(cause);
  }

  // -------------------------------------------------------------- all layers

  private heatFigure(): HTMLElement {
    this.heatPlace.addEventListener('keydown', (event) => this.heatKey(event));
    this.heatPlace.setAttribute('aria-roledescription', 'heatmap');
    const legend = element('span', { class: 'scale', 'aria-hidden': 'true' });
    const hint = element(
      'span',
      { class: 'hint' },
      ' Arrow keys move, Enter selects; drag to zoom, double click to see all.',
    );
    return element(
      'figure',
      {},
      element('h2', {}, 'Layers × channels'),
      this.heatPlace,
      this.where,
      element('figcaption', {}, 'small ', legend, ' large, on a logarithmic scale.', hint),
    );
  }

  private drawHeat(cause: number | null): void {
    this.heat?.destroy();
    this.heat = null;
    this.heatPlace.replaceChildren();
    const differing = this.shown.filter(({ mismatched }) => mismatched > 0).length;
    const label = `${this.valueChoice.value} of every channel: ${this.shown.length} layers, ${differing} of them differ`;
    this.heatPlace.setAttribute('aria-label', label);
    this.where.textContent = label;
    if (this.shown.length === 0) return;
    this.heat = heatmap(this.heatPlace, {
      layers: this.shown,
      value: VALUES[this.valueChoice.value],
      shows: (set) => cause === null || set === cause,
      onHover: (row, channel) => this.tell(this.shown[row], channel),
      onPick: (row, channel) => this.pickLayer(this.shown[row], channel),
    });
    this.mark();
  }

  private tell(layer: Layer, channel: number): void {
    this.where.textContent = channelText(layer, channel, this.run.causeSets);
  }

  /** Outlines the selected channel, where its layer is shown. */
  private mark(): void {
    const row = this.layer ? this.shown.indexOf(this.layer) : -1;
    if (row >= 0) this.heat?.select(row, this.channel);
  }

  private heatKey(event: KeyboardEvent): void {
    if (this.shown.length === 0) return;
    const row = Math.max(0, this.layer ? this.shown.indexOf(this.layer) : 0);
    const last = this.shown[row].outFeatures - 1;
    const moves: Readonly<Record<string, readonly [number, number]>> = {
      ArrowLeft: [row, this.channel - 1],
      ArrowRight: [row, this.channel + 1],
      ArrowUp: [row - 1, this.channel],
      ArrowDown: [row + 1, this.channel],
      PageUp: [row, this.channel - 64],
      PageDown: [row, this.channel + 64],
      Home: [row, 0],
      End: [row, last],
      Enter: [row, this.channel],
      ' ': [row, this.channel],
    };
    const move = Object.hasOwn(moves, event.key) ? moves[event.key] : null;
    if (!move) return;
    event.preventDefault();
    const layer = this.shown[Math.min(Math.max(move[0], 0), this.shown.length - 1)];
    const channel = Math.min(Math.max(move[1], 0), Math.max(0, layer.outFeatures - 1));
    if (event.key === 'Enter' || event.key === ' ') {
      this.pickLayer(layer, channel);
      return;
    }
    const otherLayer = layer !== this.layer;
    this.layer = layer;
    this.channel = channel;
    this.mark();
    this.tell(layer, channel);
    if (otherLayer) this.markRow();
  }

  /** A layer's name in the table opens it. */
  private linkRows(): void {
    for (const row of this.rows) {
      const layer = this.layers[Number(row.dataset.layer)];
      const name = row.querySelector('bdi');
      if (!name || layer.outFeatures === 0) continue;
      const button = element('button', { type: 'button' });
      name.replaceWith(button);
      button.append(name);
      button.addEventListener('click', () => {
        this.pickLayer(layer, layer.worst[0] ?? 0);
        this.layerPlace.querySelector('h2')?.focus({ preventScroll: true });
        this.layerPlace.scrollIntoView({ block: 'start' });
      });
    }
  }

  private markRow(): void {
    for (const row of this.rows) row.classList.toggle('selected', Number(row.dataset.layer) === this.layer?.index);
  }

  // -------------------------------------------------------------- one layer

  private pickLayer(layer: Layer, channel: number): void {
    this.layer = layer;
    this.channel = channel;
    this.mark();
    this.markRow();
    this.tell(layer, channel);
    this.drawLayer(layer);
  }

  private drawLayer(layer: Layer): void {
    for (const chart of this.charts) chart.destroy();
    this.charts = [];
    const ofLayer = this.figure('Differences by size', histogramText(layer.histogram), histogramTable(layer.histogram));
    const bars = this.figure('Channels', channelsLabel(layer), () => channelTable(layer, this.run.causeSets));
    const panels = element('div', { class: 'panels' }, ofLayer.figure, bars.figure);
    this.layerPlace.replaceChildren(
      element('h2', { tabindex: '-1' }, `${layer.name} (${layer.op})${layer.why ? `: ${layer.why}` : ''}`),
      this.channelButtons(layer),
      panels,
    );
    this.charts.push(
      histogram(ofLayer.plot, layer.histogram),
      channelBars(
        bars.plot,
        layer,
        (channel) => this.tell(layer, channel),
        (channel) => this.pickLayer(layer, channel),
      ),
    );
    this.drawChannel(layer, panels);
  }

  /** Those with single values to look at. */
  private channelButtons(layer: Layer): HTMLElement {
    const channels = [...layer.details.keys()];
    if (channels.length === 0) return element('div');
    const buttons = channels.map((channel) => {
      const button = element(
        'button',
        { type: 'button', 'aria-pressed': String(channel === this.channel) },
        `channel ${channel}`,
      );
      button.addEventListener('click', () => {
        this.pickLayer(layer, channel);
        this.layerPlace.querySelector<HTMLElement>('.channels button[aria-pressed="true"]')?.focus();
      });
      return button;
    });
    return element(
      'div',
      { class: 'channels', role: 'group', 'aria-label': 'Worst channels, worst first' },
      ...buttons,
    );
  }

  private drawChannel(layer: Layer, panels: HTMLElement): void {
    const details = layer.details.get(this.channel);
    if (!details) {
      const has = layer.details.size > 0 ? `: ${[...layer.details.keys()].join(', ')}` : '';
      const text = `Single values are kept of the worst channels only${has}. qdiff explain shows any value.`;
      panels.append(
        element('p', { class: 'empty' }, channelText(layer, this.channel, this.run.causeSets)),
        element('p', { class: 'empty' }, text),
      );
      return;
    }
    const own = layer.histogramOf.get(this.channel);
    if (own) {
      const { figure, plot } = this.figure(
        `Differences of channel ${this.channel}`,
        histogramText(own),
        histogramTable(own),
      );
      panels.append(figure);
      this.charts.push(histogram(plot, own));
    }
    const { figure, plot } = this.figure(
      `Captured against actual, channel ${this.channel}`,
      `${details.samples.length} values; equal ones lie on the line`,
      () => valueTable(details),
    );
    panels.append(figure);
    this.charts.push(scatter(plot, details.expected, details.actual));
    if (details.explained) panels.append(arithmetic(layer, details.channel, details.explained));
  }

  /** A chart with its words, and its numbers as a table. */
  private figure(title: string, label: string, table: () => HTMLElement) {
    const plot = element('div', { class: 'plot', role: 'img', 'aria-label': `${title}: ${label}` });
    const data = element('details', { class: 'data' }, element('summary', {}, 'as a table'));
    data.addEventListener('toggle', () => data.childElementCount === 1 && data.append(table()), { once: true });
    const caption = element('figcaption', {}, label, data);
    return { figure: element('figure', {}, element('h2', {}, title), plot, caption), plot };
  }
}

// ---------------------------------------------------------------- tables

function table(head: readonly string[], rows: readonly (readonly string[])[], name = ''): HTMLElement {
  const shown = rows.slice(0, MOST_ROWS).map(([first, ...rest]) => {
    return element(
      'tr',
      {},
      element('th', { scope: 'row' }, first),
      ...rest.map((cell) => element('td', { class: 'number' }, cell)),
    );
  });
  const left = rows.length - shown.length;
  return element(
    'div',
    { class: 'scroll' },
    element(
      'table',
      name === '' ? {} : { class: name },
      element('thead', {}, element('tr', {}, ...head.map((cell) => element('th', { scope: 'col' }, cell)))),
      element('tbody', {}, ...shown),
    ),
    ...(left > 0 ? [element('p', {}, `and ${left} more`)] : []),
  );
}

function histogramTable(counts: readonly number[]): () => HTMLElement {
  return () =>
    table(
      ['difference', 'values'],
      BINS.map((bin, i) => [bin, String(counts[i])]),
    );
}

function channelsLabel({ channels, outFeatures }: Layer): string {
  return `${channels.length} of ${outFeatures} channels differ`;
}

function channelTable(layer: Layer, causeSets: readonly string[]): HTMLElement {
  const order = [...layer.channels.keys()].sort((a, b) => layer.maxAbsDiff[b] - layer.maxAbsDiff[a] || a - b);
  const rows = order.map((i) => [
    String(layer.channels[i]),
    String(layer.counts[i]),
    short(layer.maxAbsDiff[i]),
    short(layer.meanDiff[i]),
    causeSets[layer.causeSet[i]] ?? 'other causes',
  ]);
  return table(['channel', 'mismatched', 'max |diff|', 'mean diff', 'why'], rows);
}

function valueTable({ samples, expected, actual }: PageDetails): HTMLElement {
  const rows = samples.map((sample, i) => [sample, expected[i], actual[i], actual[i] - expected[i]].map(String));
  return table(['sample', 'captured', 'actual', 'difference'], rows);
}

// ---------------------------------------------------------------- one value

/** The worst value of a channel, step by step; where the kernels first differ is marked, and pairs that leave int16. */
function arithmetic(layer: Layer, channel: number, explained: PageExplained): HTMLElement {
  const { sample, kernels, rows, products, pairs, pairsInAll } = explained;
  const steps = element(
    'table',
    { class: 'steps' },
    element(
      'thead',
      {},
      element('tr', {}, ...['step', ...kernels].map((cell) => element('th', { scope: 'col' }, cell))),
    ),
    element(
      'tbody',
      {},
      ...rows.map(({ label, cells, departs }) =>
        element(
          'tr',
          departs ? { class: 'departs' } : {},
          element('th', { scope: 'row' }, departs ? `${label} (differs first)` : label),
          ...cells.map((cell) => element('td', { class: 'number' }, cell)),
        ),
      ),
    ),
  );
  const at = positionOf(layer, channel);
  const size = at < 0 ? '' : `, off by up to ${short(layer.maxAbsDiff[at])} ${layer.unit}`;
  return element(
    'figure',
    { class: 'wide arithmetic' },
    element('h2', {}, `Sample ${sample}, channel ${channel}: the worst value, step by step${size}`),
    element('div', { class: 'scroll' }, steps),
    ...(pairs.length > 0 ? [pairList(explained)] : []),
    ...(pairsInAll > pairs.length ? [element('p', {}, `and ${pairsInAll - pairs.length} more pairs`)] : []),
    element('h2', {}, 'Largest products, zero points subtracted'),
    table(
      ['k', 'x', 'w', 'product'],
      products.map((product) => product.map(String)),
    ),
  );
}

function pairList({ pairs }: PageExplained): HTMLElement {
  const items = pairs.map(({ kernel, k, x, w, sum, saturated }) => {
    const second = k[1] < 0 ? '' : ` + x[${k[1]}]=${x[1]} * w[${k[1]}]=${w[1]}`;
    const sums = `x[${k[0]}]=${x[0]} * w[${k[0]}]=${w[0]}${second} = `;
    return element('li', {}, `${kernel}: ${sums}`, element('mark', {}, `${sum} → ${saturated}`));
  });
  return element('div', { class: 'pairs' }, element('h2', {}, 'Pairs that leave int16'), element('ul', {}, ...items));
}

// ---------------------------------------------------------------- start

function start(): void {
  const data: PageData = JSON.parse(document.getElementById('data')!.textContent!);
  const views = data.runs.map((run, i) => new RunView(run, document.querySelector(`[data-charts="${i}"]`)!));
  for (const view of views) view.show();
  const redraw = () => {
    for (const view of views) view.redraw();
  };
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', redraw);
  // Charts are drawn once more for the printer, which is light.
  const paper = (on: boolean) => () => {
    document.documentElement.classList.toggle('paper', on);
    redraw();
  };
  addEventListener('beforeprint', paper(true));
  addEventListener('afterprint', paper(false));
  performance.mark('qdiff-ready');
}

// What can be read comes first, the charts a frame later.
requestAnimationFrame(() => setTimeout(start));
