/** The page's script: what an address shows, and the keys. What can be read without it is html.ts's. */
import { hashOf, layerHref, placeOf } from './address.js';
import type { PageData } from './data.js';
import { addCopyButtons, element } from './dom.js';
import { layerView } from './layerView.js';
import { hasOwnCause, type Layer, layerText, type Model, modelOf } from './model.js';
import { drawNetwork } from './network.js';
import { sidebar } from './sidebar.js';
import { LayerTable } from './table.js';
import { type Bar, bar } from './topBar.js';

class App {
  private readonly models: readonly Model[];
  private readonly sections: readonly HTMLElement[];
  private readonly overviewParts: readonly HTMLElement[];
  private readonly tables: (LayerTable | undefined)[] = [];
  private readonly main = document.querySelector('main')!;
  private readonly layerPlace = element('div', { class: 'layer-place', hidden: '' });
  private readonly bar: Bar;
  private readonly scrolled = new Map<string, number>();
  private shown = '';
  /** What led from the overview to a layer: the keyboard goes on there. */
  private left: HTMLElement | null = null;

  constructor(data: PageData) {
    this.models = data.runs.map(modelOf);
    this.sections = [...document.querySelectorAll<HTMLElement>('section.run')];
    this.overviewParts = [...document.querySelectorAll<HTMLElement>('main > header.all, main > .models')];
    this.main.append(this.layerPlace);
    this.bar = bar(this.models);
    document.body.prepend(this.bar.element);
    for (const [i, section] of this.sections.entries()) this.enhance(this.models[i], section);
    this.linkModels();
    addEventListener('hashchange', () => this.show());
    addEventListener('keydown', (event) => this.key(event));
    this.show();
  }

  /** Links and buttons where the text has none. */
  private enhance(model: Model, section: HTMLElement): void {
    addCopyButtons(section);
    for (const item of section.querySelectorAll<HTMLElement>('.card li[data-layer], .facts [data-layer]')) {
      const name = item.querySelector('bdi')!;
      const link = element('a', { href: layerHref(model, model.layers[Number(item.dataset.layer)]) });
      name.replaceWith(link);
      link.append(name);
    }
    for (const line of section.querySelectorAll<HTMLElement>('.card .evidence dd')) linkValue(line, model);
    const network = section.querySelector<HTMLElement>('.network')!;
    for (const card of section.querySelectorAll<HTMLElement>('.card')) {
      const dim = (on: boolean) => () => {
        network.classList.toggle('dimmed', on);
        for (const tile of network.querySelectorAll<HTMLElement>('.tile')) {
          tile.classList.toggle('lit', on && tile.dataset.finding === card.dataset.finding);
        }
      };
      card.addEventListener('mouseenter', dim(true));
      card.addEventListener('mouseleave', dim(false));
    }
  }

  private linkModels(): void {
    for (const row of document.querySelectorAll<HTMLElement>('.models li')) {
      const model = this.models[Number(row.dataset.run)];
      const link = element('a', { href: hashOf({ model, layer: null, channel: null, sample: null, at: [] }) });
      link.append(...row.childNodes);
      row.append(link);
    }
  }

  private show(): void {
    this.scrolled.set(this.shown, scrollY);
    const place = placeOf(location.hash, this.models);
    const { model, layer } = place;
    const sameLayer = layer !== null && this.shown === layerHref(model, layer);
    if (layer && this.layerPlace.hidden) this.left = document.activeElement as HTMLElement | null;
    this.shown = layer ? layerHref(model, layer) : model.address;
    for (const part of this.overviewParts) part.hidden = layer !== null;
    for (const [i, section] of this.sections.entries()) section.hidden = layer !== null || i !== model.index;
    for (const row of document.querySelectorAll<HTMLElement>('.models li')) {
      row.classList.toggle('chosen', Number(row.dataset.run) === model.index);
    }
    this.layerPlace.hidden = layer === null;
    this.layerPlace.replaceChildren(...(layer ? [sidebar(model, layer), layerView(place)] : []));
    if (!layer) this.openOverview(model);
    this.bar.show(place);
    document.title = layer ? `qdiff: ${layerText(layer)}` : this.bar.title;
    if (sameLayer)
      this.layerPlace.querySelector<HTMLElement>('.picture [aria-current]')?.focus({ preventScroll: true });
    else {
      (layer ? this.layerPlace.querySelector('h1') : this.left)?.focus({ preventScroll: true });
      scrollTo(0, this.scrolled.get(this.shown) ?? 0);
    }
    const [list, current] = ['.sidebar', '.sidebar [aria-current]'].map((one) =>
      this.layerPlace.querySelector<HTMLElement>(one),
    );
    if (list && current) list.scrollTop = current.offsetTop - list.clientHeight / 2; // in the middle of its own list
  }

  /** Drawn when it is first seen: a place that is hidden has no width. */
  private openOverview(model: Model): void {
    if (this.tables[model.index]) return;
    const section = this.sections[model.index];
    const hrefOf = (layer: Layer) => layerHref(model, layer);
    drawNetwork(section.querySelector<HTMLElement>('.network')!, model, hrefOf);
    const table = new LayerTable(model, section, hrefOf);
    this.tables[model.index] = table;
    for (const [i, card] of [...section.querySelectorAll<HTMLElement>('.card')].entries()) {
      const count = card.querySelectorAll('.counts b')[1];
      if (!count) continue; // one layer, by its name
      const label = `${count.textContent} layers: in the table`;
      const all = element('button', { type: 'button', title: 'these layers in the table', 'aria-label': label });
      count.replaceWith(all);
      all.append(count);
      all.addEventListener('click', () => {
        table.choose(model.findings[i].letter);
        section.querySelector('.layers-head')?.scrollIntoView();
      });
    }
  }

  private key(event: KeyboardEvent): void {
    const target = event.target as HTMLElement;
    if (event.ctrlKey || event.metaKey || event.altKey || target.closest('input, textarea, select')) return;
    const { model, layer, channel, sample } = placeOf(location.hash, this.models);
    const step = (by: number, passes: (layer: Layer) => boolean) => {
      let at = layer ? layer.index + by : by > 0 ? 0 : model.layers.length - 1;
      while (model.layers[at] && !passes(model.layers[at])) at += by;
      if (model.layers[at]) location.hash = layerHref(model, model.layers[at]);
    };
    const keys: Readonly<Record<string, () => void>> = {
      '/': () => this.bar.find(),
      t: () => this.bar.turnTheme(),
      '?': () => this.bar.help(),
      j: () => step(1, () => true),
      k: () => step(-1, () => true),
      J: () => step(1, hasOwnCause),
      K: () => step(-1, hasOwnCause),
      Escape: () => {
        if (!layer) return;
        const up = {
          model,
          layer: channel === null ? null : layer,
          channel: sample === null ? null : channel,
          sample: null,
          at: [],
        };
        location.hash = hashOf(up);
      },
    };
    if (!Object.hasOwn(keys, event.key)) return;
    event.preventDefault();
    keys[event.key]();
  }
}

/** "fc1, sample 0, channel 3, at 1,2:" leads there; of a card of one layer without its name. */
function linkValue(line: HTMLElement, model: Model): void {
  const words = line.textContent ?? '';
  const [place, sample, channel, at] = /(?:^|, )sample (\d+), channel (\d+)(?:, at ([\d,]+))?:$/.exec(words) ?? [];
  if (place === undefined) return;
  const name = words.slice(0, -place.length);
  const only = line.closest('.card')!.querySelector<HTMLElement>('li[data-layer]')!.dataset.layer;
  const layer = name === '' ? model.layers[Number(only)] : model.layers.find((one) => one.name === name);
  if (!layer) return;
  const positions = at === undefined ? [] : at.split(',').map(Number);
  const href = hashOf({ model, layer, channel: Number(channel), sample: Number(sample), at: positions });
  line.replaceChildren(element('a', { href }, words));
}

// In the head: what is drawn here is not painted before it is. A page cut short, or whose script is forbidden, is read as it is.
const { classList } = document.documentElement;
classList.add('drawing');
addEventListener('DOMContentLoaded', () => {
  classList.remove('drawing');
  const data = document.getElementById('data');
  if (data === null) return;
  new App(JSON.parse(data.textContent!));
  performance.mark('qdiff-ready');
});
