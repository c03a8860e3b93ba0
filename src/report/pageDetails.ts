/** Single values as a page shows them, and a blob keeps them for it. */
import type { ChannelDetails, LayerDetails } from '../analyze/explain/details.js';
import type { PageDetails, PageLayerDetails } from '../documents/blob.js';
import { explainHeads, explainRows, patchGrid } from './explain.js';

export function pageLayerDetails({ name, channels }: LayerDetails): PageLayerDetails {
  return { name, channels: channels.map(pageDetails) };
}

function pageDetails({ channel, points: all, map, explained }: ChannelDetails): PageDetails {
  const points = map ? [] : all; // the map has them
  return {
    channel,
    samples: points.map(({ sample }) => sample),
    ...(points.some(({ at }) => at) && { at: points.map(({ at }) => [...(at ?? [])]) }),
    expected: points.map((point) => finite(point.expected)),
    actual: points.map((point) => finite(point.actual)),
    map: map && { ...map, expected: map.expected.map(finite), actual: map.actual.map(finite) },
    explained: explained && {
      sample: explained.sample,
      at: explained.at ?? [],
      captured: explained.captured,
      kernels: explainHeads(explained),
      rows: explainRows(explained),
      ...patchOf(explained),
      products: explained.products.map(({ k, x, w, product }) => [k, x, w, product]),
      pairs: explained.columns.flatMap(({ kernel, saturating_pairs: pairs }) =>
        pairs
          .slice(0, 16)
          .map(({ k, x, w, sum, saturated }) => ({ kernel, k: [...k], x: [...x], w: [...w], sum, saturated })),
      ),
      pairsInAll: explained.columns.reduce((sum, column) => sum + column.saturating_pairs.length, 0),
    },
  };
}

/** A patch as a small grid. */
function patchOf(
  explained: NonNullable<ChannelDetails['explained']>,
): Pick<NonNullable<PageDetails['explained']>, 'patch'> {
  const grid = patchGrid(explained);
  return grid && grid.x.flat().length <= MOST_CELLS ? { patch: grid } : {};
}

const MOST_CELLS = 400;

/** JSON has no other numbers; a chart neither. */
export function finite(value: number): number {
  return Number.isNaN(value) ? 0 : Math.max(-Number.MAX_VALUE, Math.min(Number.MAX_VALUE, value));
}
