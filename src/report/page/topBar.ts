/** The bar over everything: where one is, a layer by its name, the theme, the keys. */
import { hashOf, layerHref, type Place } from './address.js';
import { element } from './dom.js';
import type { Model } from './model.js';

const MOST_FOUND = 12;

const KEYS: readonly (readonly [string, string])[] = [
  ['/', 'find a layer'],
  ['j k', 'next and previous layer'],
  ['J K', 'next and previous layer with a cause of its own'],
  ['arrows, Enter', 'move in the network, channels and pictures; open'],
  ['Esc', 'one level up'],
  ['t', 'light or dark'],
];

export interface Bar {
  readonly element: HTMLElement;
  /** The page's own. */
  readonly title: string;
  show(place: Place): void;
  find(): void;
  turnTheme(): void;
  help(): void;
}

export function bar(models: readonly Model[]): Bar {
  const path = element('nav', { class: 'path', 'aria-label': 'Where' });
  const found = element('ul', { class: 'found', hidden: '' });
  const find = element('input', {
    type: 'search',
    placeholder: innerWidth > 600 ? 'Find a layer  /' : 'Find',
    'aria-label': 'Find a layer',
  });
  find.addEventListener('input', () => fillFound(found, models, find.value));
  find.addEventListener('keydown', (event) => {
    if (event.key === 'Enter') found.querySelector<HTMLAnchorElement>('a')?.click();
    if (event.key === 'Escape' || event.key === 'Enter') close();
  });
  const close = () => {
    find.value = '';
    found.hidden = true;
    find.blur();
  };
  found.addEventListener('click', close);
  const keys = helpDialog();
  const help = () => keys.showModal();
  const theme = element('button', { type: 'button', 'aria-label': 'Light or dark', title: 'light or dark (t)' }, '◐');
  theme.addEventListener('click', turnTheme);
  const question = element('button', { type: 'button', 'aria-label': 'Keys', title: 'keys (?)' }, '?');
  question.addEventListener('click', help);
  const made = element(
    'header',
    { class: 'topbar' },
    element('b', {}, 'qdiff'),
    path,
    element('div', { class: 'finder', role: 'search' }, find, found),
    theme,
    question,
    keys,
  );
  return {
    element: made,
    title: document.title,
    show: (place) => showPath(path, place, models),
    find: () => find.focus(),
    turnTheme,
    help,
  };
}

function turnTheme(): void {
  const dark = document.querySelector<HTMLStyleElement>('style[media]')!;
  dark.media = matchMedia(dark.media).matches ? 'not all' : 'screen';
}

function showPath(path: HTMLElement, place: Place, models: readonly Model[]): void {
  const { model, layer, channel, sample, at } = place;
  const top = { model, layer: null, channel: null, sample: null, at: [] };
  const parts: [string, string][] = [];
  if (models.length > 1) parts.push([`${models.length} models`, '#']);
  if (models.length > 1 || layer) parts.push([model.name, hashOf(top)]);
  if (layer) parts.push([layer.name, layerHref(model, layer)]);
  if (layer && channel !== null) parts.push([`channel ${channel}`, hashOf({ ...place, sample: null, at: [] })]);
  if (layer && channel !== null && sample !== null) {
    parts.push([`sample ${sample}${at.length > 0 ? `, ${at.join(',')}` : ''}`, hashOf(place)]);
  }
  path.replaceChildren(
    ...parts.flatMap(([text, href], i) => [
      ...(i > 0 ? [element('span', {}, ' / ')] : []),
      element('a', { href }, text),
    ]),
  );
}

function fillFound(found: HTMLElement, models: readonly Model[], text: string): void {
  const words = text.trim().toLowerCase();
  const hits = models.flatMap((model) =>
    model.layers.filter(({ name }) => name.toLowerCase().includes(words)).map((layer) => ({ model, layer })),
  );
  const shown = hits.slice(0, MOST_FOUND).map(({ model, layer }) => {
    const of = models.length > 1 ? ` · ${model.name}` : '';
    return element('li', {}, element('a', { href: layerHref(model, layer) }, layer.name, of));
  });
  const more = hits.length - shown.length;
  const rest = more > 0 ? [element('li', {}, `and ${more} more`)] : [];
  found.replaceChildren(...(hits.length === 0 ? [element('li', {}, 'no such layer')] : [...shown, ...rest]));
  found.hidden = words === '';
}

function helpDialog(): HTMLDialogElement {
  const rows = KEYS.map(([key, what]) =>
    element('tr', {}, element('th', { scope: 'row' }, key), element('td', {}, what)),
  );
  const close = element('button', { type: 'submit' }, 'close');
  return element(
    'dialog',
    { 'aria-label': 'Keys' },
    element('table', {}, element('tbody', {}, ...rows)),
    element('form', { method: 'dialog' }, close),
  );
}
