/** Where a channel differs: an image of its positions, or a cell a sample. */
import type { PageDetails, PageMap } from '../../documents/blob.js';
import { indicesOf } from '../../tensor/shape.js';
import { cssClass, number, short } from './classes.js';
import { element, placed, roving } from './dom.js';

/** One value of a picture. */
export interface Cell {
  readonly sample: number;
  /** [y, x] of an image; empty where the samples are the cells. */
  readonly at: readonly number[];
  readonly expected: number;
  readonly actual: number;
}

export interface Picture {
  readonly columns: number;
  /** Row by row. */
  readonly cells: readonly Cell[];
  /** An image's cells have a place each; of samples the signed difference is written in them. */
  readonly isImage: boolean;
  /** A step of the classes of size. */
  readonly step: number;
}

export function pictureOf({ map, samples, at, expected, actual }: PageDetails, step = 1): Picture {
  if (map) return imageOf(map, step);
  const cells = samples.map((sample, i) => ({ sample, at: at?.[i] ?? [], expected: expected[i], actual: actual[i] }));
  return { columns: 16, cells, isImage: false, step };
}

function imageOf({ sample, dims, columns, places, expected, actual }: PageMap, step: number): Picture {
  const cells = places.map((place, i) => ({
    sample,
    at: indicesOf(place, dims),
    expected: expected[i],
    actual: actual[i],
  }));
  return { columns, cells, isImage: true, step };
}

export function placeText({ sample, at }: Cell): string {
  return `sample ${sample}${at.length > 0 ? `, at ${at.join(',')}` : ''}`;
}

function cellText(cell: Cell): string {
  const off = cell.actual - cell.expected;
  const size = off === 0 ? 'equal' : `${off > 0 ? '+' : ''}${number(off)}`;
  return `${placeText(cell)}: expected ${number(cell.expected)}, actual ${number(cell.actual)}: ${size}`;
}

/** A small image of a channel, without words. */
export function thumbnail({ columns, cells, step }: Picture): HTMLElement {
  const side = Math.max(1, Math.floor(64 / columns));
  const grid = element('span', { class: 'thumbnail', 'aria-hidden': 'true' });
  grid.style.setProperty('--columns', String(columns));
  grid.style.setProperty('--side', `${side}px`);
  grid.append(
    ...cells.map(({ expected, actual }) => element('span', { class: cssClass((actual - expected) / step, true) })),
  );
  return grid;
}

/** Around a picture on a small screen: the ticks and the page's edges. */
const MARGINS = 56;

/** The picture to read: what is under the pointer is said beside it, a click and Enter choose. */
export function drawPicture(picture: Picture, chosen: Cell | null, hrefOf: (cell: Cell) => string): HTMLElement {
  const { columns, cells, isImage, step } = picture;
  const grid = element('div', {
    class: isImage ? 'image' : 'samples',
    role: 'group',
    'aria-label': 'Values, a link each',
  });
  const side = isImage ? Math.max(4, Math.min(26, Math.floor(Math.min(420, innerWidth - MARGINS) / columns))) : 0;
  grid.style.setProperty('--columns', String(columns));
  if (isImage) grid.style.setProperty('--side', `${side}px`);
  const links = cells.map((cell) => {
    const off = cell.actual - cell.expected;
    const text = cellText(cell);
    const link = element('a', {
      href: hrefOf(cell),
      class: cssClass(off / step, true),
      'aria-label': text,
      title: text,
    });
    if (!isImage) link.textContent = off === 0 ? '·' : short(off);
    if (chosen && same(cell, chosen)) link.setAttribute('aria-current', 'true');
    return link;
  });
  grid.append(...links);
  const said = element('p', { class: 'said', 'aria-live': 'polite' }, chosen ? cellText(chosen) : '');
  const say = (event: Event) => {
    const i = links.indexOf(event.target as HTMLAnchorElement);
    if (i >= 0) said.textContent = cellText(cells[i]);
  };
  grid.addEventListener('mouseover', say);
  grid.addEventListener('focusin', say);
  roving(
    grid,
    links,
    cells.findIndex((cell) => chosen !== null && same(cell, chosen)),
    () => perRow(grid, links, columns),
  );
  const ticks = isImage ? [axis('x', columns, side), axis('y', Math.ceil(cells.length / columns), side)] : [];
  return element('div', { class: isImage ? 'picture' : 'picture list' }, ...ticks, grid, said);
}

/** Samples wrap as the window is wide. */
function perRow(grid: HTMLElement, links: readonly HTMLElement[], columns: number): number {
  if (grid.classList.contains('image')) return columns;
  const second = links.findIndex((link) => link.offsetTop > links[0].offsetTop);
  return second < 0 ? links.length : second;
}

/** Ticks stand in the middle of their cells. */
function axis(name: 'x' | 'y', cells: number, side: number): HTMLElement {
  const every = Math.max(1, 2 ** Math.ceil(Math.log2(26 / side)));
  const ticks = Array.from({ length: Math.ceil(cells / every) }, (_, i) => {
    const middle = i * every * side + side / 2;
    return placed(element('span', {}, String(i * every)), name === 'x' ? { left: middle } : { top: middle });
  });
  return element('div', { class: `axis ${name}`, 'aria-hidden': 'true' }, ...ticks);
}

export function same(a: Cell, b: Cell): boolean {
  return a.sample === b.sample && a.at.join() === b.at.join();
}
