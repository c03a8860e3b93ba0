/** One value: both sides, the steps with the first that departs, the pairs that leave int16, what to type. */
import type { PageExplained } from '../../documents/blob.js';
import { number, signed } from './classes.js';
import { copyButton, element } from './dom.js';
import type { Layer, Model } from './model.js';
import { type Cell, placeText } from './picture.js';

export function valuePanel(model: Model, layer: Layer, channel: number, cell: Cell | null): HTMLElement {
  const explained = layer.details.get(channel)?.explained ?? null;
  const isWorked =
    explained !== null && cell !== null && explained.sample === cell.sample && explained.at.join() === cell.at.join();
  const title = element('header', {}, element('h3', {}, 'One value'));
  if (cell) title.append(element('span', {}, `channel ${channel} · ${placeText(cell)}`));
  const panel = element('aside', { class: 'value', 'aria-label': 'One value' }, title);
  if (cell) panel.append(sides(model, layer, cell));
  if (isWorked) panel.append(...arithmetic(explained));
  else panel.append(element('p', { class: 'hint' }, hint(explained, cell)));
  panel.append(buttons(layer, channel, cell, isWorked ? explained : null));
  return panel;
}

/** Marked is who departs, where the layer's counts against the replay tell; without a candidate they do not. */
function sides({ sides: names }: Model, { reference, onOwnInput }: Layer, { expected, actual }: Cell): HTMLElement {
  const off = actual - expected;
  const isExact = (side: Layer['reference']) => side?.mismatched === 0;
  const [expectedDeparts, actualDeparts] =
    off === 0 || isExact(reference) === isExact(onOwnInput) ? [] : [isExact(onOwnInput), isExact(reference)];
  const side = (name: string, value: number, departs = false) => {
    return element(
      'div',
      departs ? { class: 'departs' } : {},
      element('dt', {}, name),
      element('dd', {}, number(value)),
    );
  };
  const difference = off === 0 ? 'equal' : signed(off);
  return element(
    'dl',
    { class: 'sides' },
    side(names.expected, expected, expectedDeparts),
    side(names.actual, actual, actualDeparts),
    element('div', {}, element('dt', {}, 'difference'), element('dd', {}, difference)),
  );
}

function hint(explained: PageExplained | null, cell: Cell | null): string {
  if (cell === null) return 'Single values are kept of the worst channels only.';
  if (explained === null) return 'This layer has no products to work out.';
  return `The page keeps the arithmetic of the channel’s worst value (sample ${explained.sample}${explained.at.length > 0 ? `, at ${explained.at.join(',')}` : ''}); the command below shows this one.`;
}

function arithmetic({ kernels, rows, patch, products, pairs, pairsInAll }: PageExplained): HTMLElement[] {
  const steps = table(
    ['step', ...kernels],
    rows.map(({ label, cells, departs }) => ({ cells: [label, ...cells], departs })),
    'steps',
  );
  const more = pairsInAll - pairs.length;
  return [
    element('div', { class: 'scroll' }, steps),
    ...(pairs.length > 0 ? [element('h4', {}, 'Pairs that leave int16'), pairList(pairs, more)] : []),
    ...(patch ? [element('h4', {}, capital(patch.head)), patchTable(patch)] : []),
    element('h4', {}, 'Largest products, zero points subtracted'),
    table(
      ['k', 'x', 'w', 'product'],
      products.map((product) => ({ cells: product.map(number), departs: false })),
      'products',
    ),
  ];
}

function capital(text: string): string {
  return text[0].toUpperCase() + text.slice(1);
}

function patchTable({ x, w }: NonNullable<PageExplained['patch']>): HTMLElement {
  const cells = (own: readonly string[]) => own.map((text) => element('td', { class: 'number' }, text));
  const rows = x.map((own, row) =>
    element('tr', {}, ...cells(own), element('td', { class: 'gap' }, '·'), ...cells(w[row])),
  );
  return element('div', { class: 'scroll' }, element('table', { class: 'patch' }, element('tbody', {}, ...rows)));
}

function pairList(pairs: PageExplained['pairs'], more: number): HTMLElement {
  const items = pairs.map(({ kernel, k, x, w, sum, saturated }) => {
    const second = k[1] < 0 ? '' : ` + x[${k[1]}]=${x[1]} · w[${k[1]}]=${w[1]}`;
    return element(
      'li',
      { title: kernel },
      `x[${k[0]}]=${x[0]} · w[${k[0]}]=${w[0]}${second} = `,
      element('mark', {}, `${sum} → ${saturated}`),
    );
  });
  return element('ul', { class: 'pairs' }, ...items, ...(more > 0 ? [element('li', {}, `and ${more} more`)] : []));
}

interface Row {
  readonly cells: readonly string[];
  readonly departs: boolean;
}

function table(head: readonly string[], rows: readonly Row[], name: string): HTMLElement {
  const body = rows.map(({ cells: [first, ...rest], departs }) => {
    const label = departs ? `${first} (differs first)` : first;
    return element(
      'tr',
      departs ? { class: 'departs' } : {},
      element('th', { scope: 'row' }, label),
      ...rest.map((cell) => element('td', { class: 'number' }, cell)),
    );
  });
  const heads = head.map((cell) => element('th', { scope: 'col' }, cell));
  return element(
    'table',
    { class: name },
    element('thead', {}, element('tr', {}, ...heads)),
    element('tbody', {}, ...body),
  );
}

function buttons({ command }: Layer, channel: number, cell: Cell | null, explained: PageExplained | null): HTMLElement {
  const at = cell && cell.at.length > 0 ? ` --at ${cell.at.join(',')}` : '';
  const place = `--channel ${channel}${cell ? ` --sample ${cell.sample}` : ''}${at}`;
  const row = element('div', { class: 'buttons' });
  if (command) {
    row.append(copyButton(() => `${command} ${place}`, 'copy command'));
    row.prepend(element('code', {}, `${command} ${place}`));
  }
  if (explained) row.append(copyButton(() => stepsText(explained), 'copy steps'));
  row.append(copyButton(() => location.href, 'copy link'));
  return row;
}

function stepsText({ kernels, rows }: PageExplained): string {
  return [['step', ...kernels], ...rows.map(({ label, cells }) => [label, ...cells])]
    .map((row) => row.join('\t'))
    .join('\n');
}
