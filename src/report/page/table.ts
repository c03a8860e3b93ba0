/** The table of layers: names lead to their layer, heads sort, chips choose, runs of layers without a cause of their own fold. */
import { number, sizeClass } from './classes.js';
import { element } from './dom.js';
import { hasOwnCause, isCompared, type Layer, type Model } from './model.js';
import { stateOf } from './network.js';

/** The column that has a strip, and the strip's cells. */
const CHANNELS = 4;
const MOST_CELLS = 60;
const SIZE = 5;
const LEAST_TO_FOLD = 3;
/** A table that one sees whole is not folded. */
const MOST_UNFOLDED = 12;
/** Rows of all layers, folded; of more, those that differ are shown at first. */
const MOST_AT_FIRST = 40;
/** Of the chips, those two. */
const [ALL, DIFFER] = [0, 1];

interface Chip {
  readonly name: string;
  readonly passes: (layer: Layer) => boolean;
}

const SORTS: readonly ((layer: Layer) => number | string)[] = [
  ({ name }) => name,
  ({ op }) => op,
  ({ values }) => values,
  ({ mismatched }) => mismatched,
  ({ differing }) => differing,
  ({ maxAbsDiff, step }) => maxAbsDiff / step,
  ({ meanDiff }) => Math.abs(meanDiff),
  ({ mismatched, values }) => (values ? mismatched / values : 0),
  ({ why }) => why,
];

/** What is shown of the rows: a chip's layers, those of a part of a name, in an order. */
export class LayerTable {
  private readonly rows: readonly HTMLTableRowElement[];
  private readonly body: HTMLElement;
  private readonly heads: readonly HTMLTableCellElement[];
  private readonly chips: readonly Chip[];
  private readonly buttons: HTMLButtonElement[] = [];
  private readonly none: HTMLTableRowElement;
  /** Also of a page that was printed with some of its layers. */
  private readonly shown = element('span', {});
  private chosen = ALL;
  private words = '';
  private sortedBy = -1;
  private descending = false;
  private readonly unfolded = new Set<number>();

  constructor(
    private readonly model: Model,
    section: HTMLElement,
    hrefOf: (layer: Layer) => string,
  ) {
    const table = section.querySelector<HTMLTableElement>('table.layers')!;
    this.body = table.tBodies[0];
    table.caption!.append(this.shown);
    this.rows = [...this.body.querySelectorAll<HTMLTableRowElement>('tr[data-layer]')];
    this.heads = [...table.querySelectorAll<HTMLTableCellElement>('thead th')];
    this.none = this.emptyRow();
    this.chips = chipsOf(model);
    for (const row of this.rows) linkName(row, this.layerOf(row), hrefOf);
    for (const [i, head] of this.heads.entries()) this.sortable(head, i);
    section.querySelector('.layers-head')!.append(...this.controls());
    this.pick(this.folded(this.rows).length > MOST_AT_FIRST && this.countOf(DIFFER) > 0 ? DIFFER : ALL);
  }

  private countOf(chip: number): number {
    return this.model.layers.filter(this.chips[chip].passes).length;
  }

  /** By the letter of a finding. */
  choose(name: string): void {
    const chip = this.chips.findIndex((one) => one.name === name);
    if (chip >= 0) this.pick(chip);
  }

  private layerOf(row: HTMLTableRowElement): Layer {
    return this.model.layers[Number(row.dataset.layer)];
  }

  private controls(): HTMLElement[] {
    const find = element('input', { type: 'search', placeholder: 'part of a name', 'aria-label': 'Layers by name' });
    find.addEventListener('input', () => {
      this.words = find.value.trim().toLowerCase();
      this.show();
    });
    for (const [i, chip] of this.chips.entries()) {
      const button = element('button', { type: 'button' }, `${chip.name} ${this.countOf(i)}`);
      button.addEventListener('click', () => this.pick(i));
      this.buttons.push(button);
    }
    return [element('div', { class: 'chips', role: 'group', 'aria-label': 'Which layers' }, ...this.buttons), find];
  }

  private pick(chip: number): void {
    this.chosen = chip;
    for (const [i, button] of this.buttons.entries()) button.setAttribute('aria-pressed', String(i === chip));
    this.show();
  }

  private sortable(head: HTMLTableCellElement, index: number): void {
    const button = element('button', { type: 'button' }, head.textContent ?? '');
    head.replaceChildren(button);
    button.addEventListener('click', () => {
      const again = this.sortedBy === index;
      if (again && this.descending === index > 1) this.descending = !this.descending;
      else if (again) this.sortedBy = -1;
      else [this.sortedBy, this.descending] = [index, index > 1];
      if (again && this.sortedBy === -1) this.descending = false;
      this.show();
    });
  }

  private show(): void {
    for (const [i, head] of this.heads.entries()) {
      if (i === this.sortedBy) head.setAttribute('aria-sort', this.descending ? 'descending' : 'ascending');
      else head.removeAttribute('aria-sort');
    }
    const passes = (row: HTMLTableRowElement) => {
      const layer = this.layerOf(row);
      return this.chips[this.chosen].passes(layer) && layer.name.toLowerCase().includes(this.words);
    };
    const rows = this.sorted(this.rows.filter(passes));
    const plain = this.chosen === ALL && this.words === '' && this.sortedBy < 0 && rows.length > MOST_UNFOLDED;
    for (const row of rows) this.fillStrip(row);
    const all = this.model.layers.length;
    this.shown.textContent = rows.length < all ? ` · ${rows.length} of ${all} layers` : '';
    this.body.replaceChildren(...(rows.length === 0 ? [this.none] : plain ? this.folded(rows) : rows));
  }

  /** Only of rows that are seen: its channels are decoded for it. */
  private fillStrip(row: HTMLTableRowElement): void {
    const layer = this.layerOf(row);
    const cell = row.cells[CHANNELS];
    if (cell.querySelector('.strip')) return;
    const strip = element('span', { class: 'strip', 'aria-hidden': 'true' });
    if (layer.mismatched > 0) strip.style.setProperty('background', stripOf(layer));
    cell.append(strip);
  }

  private sorted(rows: HTMLTableRowElement[]): HTMLTableRowElement[] {
    if (this.sortedBy < 0) return rows;
    const key = SORTS[this.sortedBy];
    const sign = this.descending ? -1 : 1;
    return rows.sort((a, b) => {
      const [x, y] = [key(this.layerOf(a)), key(this.layerOf(b))];
      return sign * (typeof x === 'string' ? x.localeCompare(String(y), 'en', { numeric: true }) : x - Number(y));
    });
  }

  /** Runs of rows of one kind that have nothing of their own to say. */
  private folded(rows: readonly HTMLTableRowElement[]): HTMLElement[] {
    const runs: HTMLTableRowElement[][] = [];
    for (const row of rows) {
      const last = runs.at(-1);
      if (last && foldKind(this.layerOf(row)) === foldKind(this.layerOf(last[0]))) last.push(row);
      else runs.push([row]);
    }
    return runs.flatMap((run) => {
      const [first] = run;
      const kind = foldKind(this.layerOf(first));
      const open = this.unfolded.has(this.layerOf(first).index);
      return kind === null || run.length < LEAST_TO_FOLD || open ? run : [this.foldRow(run, kind)];
    });
  }

  private foldRow(run: readonly HTMLTableRowElement[], kind: string): HTMLElement {
    const [first, last] = [this.layerOf(run[0]), this.layerOf(run.at(-1)!)];
    const button = element(
      'button',
      { type: 'button' },
      `${run.length} layers, ${first.name} to ${last.name}: ${kind}`,
    );
    button.addEventListener('click', () => {
      this.unfolded.add(first.index);
      this.show();
      run[0].querySelector('a')?.focus();
    });
    return element('tr', { class: 'fold' }, element('td', { colspan: String(this.heads.length) }, button));
  }

  private emptyRow(): HTMLTableRowElement {
    const all = element('button', { type: 'button' }, 'show all');
    all.addEventListener('click', () => {
      const find = this.buttons[0].closest('header')!.querySelector('input')!;
      find.value = '';
      this.words = '';
      this.pick(ALL);
    });
    const cell = element('td', { colspan: String(this.heads.length) }, 'No layer is like that. ', all);
    return element('tr', { class: 'none' }, cell);
  }
}

/** Each channel's largest difference from left to right; of many channels a cell is the worst of some. */
function stripOf({ outFeatures, channels, sizes, step }: Layer): string {
  const cells = Math.min(outFeatures, MOST_CELLS);
  const classes = new Uint8Array(cells);
  for (const [i, channel] of channels.entries()) {
    const at = Math.floor((channel * cells) / outFeatures);
    classes[at] = Math.max(classes[at], sizeClass(sizes[i] / step));
  }
  const stops: string[] = [];
  for (let from = 0; from < cells; ) {
    const next = classes.findIndex((one, i) => i > from && one !== classes[from]);
    const to = next < 0 ? cells : next;
    stops.push(`var(--c${classes[from]}) ${(100 * from) / cells}% ${(100 * to) / cells}%`);
    from = to;
  }
  return `linear-gradient(90deg,${stops.join()})`;
}

function chipsOf({ findings }: Model): Chip[] {
  const letters = [...new Set(findings.map(({ letter }) => letter))];
  return [
    { name: 'All', passes: () => true },
    { name: 'Differ', passes: ({ mismatched }) => mismatched > 0 },
    { name: 'Own cause', passes: hasOwnCause },
    { name: 'Equal', passes: (layer) => isCompared(layer) && layer.mismatched === 0 },
    { name: 'Not compared', passes: (layer) => !isCompared(layer) },
    ...letters.map((letter) => ({
      name: letter,
      passes: ({ finding }: Layer) => findings[finding]?.letter === letter,
    })),
  ];
}

function foldKind(layer: Layer): string | null {
  if (!isCompared(layer)) return `not compared: ${layer.why}`;
  if (layer.mismatched === 0) return 'equal';
  return layer.inherited ? 'inherited' : null;
}

function linkName(row: HTMLTableRowElement, layer: Layer, hrefOf: (layer: Layer) => string): void {
  const name = row.querySelector('bdi')!;
  const link = element('a', { href: hrefOf(layer) });
  name.replaceWith(link);
  link.append(name);
  const size = row.cells[SIZE].firstChild;
  const badge = element('span', { class: `badge ${stateOf(layer)}` });
  size?.replaceWith(badge);
  if (size) badge.append(size);
  row.title = layer.mismatched > 0 ? `${number(layer.mismatched)} of ${number(layer.values)} values differ` : '';
}
