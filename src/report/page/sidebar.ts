/** The list of layers at the left: where one is, and what stands around it. */
import { layerHref } from './address.js';
import { short } from './classes.js';
import { element } from './dom.js';
import { hasOwnCause, isCompared, type Layer, type Model } from './model.js';
import { stateOf } from './network.js';

/** Around the layer, where there are more. */
const MOST_ROWS = 240;
/** Letters of a name for which there is room. */
const FITS = 22;

export function sidebar(model: Model, current: Layer): HTMLElement {
  const from = Math.max(0, Math.min(current.index - MOST_ROWS / 2, model.layers.length - MOST_ROWS));
  const rows = model.layers.slice(from, from + MOST_ROWS).map((layer) => {
    const size = layer.mismatched > 0 ? short(layer.maxAbsDiff) : isCompared(layer) ? '=' : '–';
    const letter = hasOwnCause(layer) ? (model.findings[layer.finding]?.letter ?? '') : '';
    const link = element(
      'a',
      { href: layerHref(model, layer) },
      element('span', { class: `size ${stateOf(layer)}` }, size),
      element('span', { class: 'name' }, element('bdi', {}, layer.name)),
      element('span', { class: 'own' }, letter),
    );
    if (layer === current) link.setAttribute('aria-current', 'page');
    return element('li', {}, link);
  });
  const list = element('ol', { class: endsTell(model.layers) ? 'ends' : '' }, ...rows);
  return element('nav', { class: 'sidebar', 'aria-label': 'All layers' }, list);
}

/** Whether cut names are told apart by their ends, as paths of modules are; a converter's names of tensors end alike. */
function endsTell(layers: readonly Layer[]): boolean {
  const different = (cut: (name: string) => string) => new Set(layers.map(({ name }) => cut(name))).size;
  return different((name) => name.slice(-FITS)) >= different((name) => name.slice(0, FITS));
}
