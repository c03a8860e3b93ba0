/** A layer's channels in one line: how far each is off, from left to right; equal ones are blank. */
import type { LayerReport } from '../../nouns/report.js';

const BLOCKS = ' ▁▂▃▄▅▆▇█';
const ASCII = ' .:-=+*#@';
const HIGHEST = BLOCKS.length - 1;
const NARROWEST = 8;

export interface HeatStrip {
  /** A level for each column: 0 is equal, 8 the layer's worst; the scale is logarithmic. */
  readonly levels: readonly number[];
  readonly channelsPerColumn: number;
}

/** At most `columns` wide: where there are more channels, neighbours share a column, which shows the worst. Null without room. */
export function heatStrip(
  { channels, channels_omitted, out_features }: LayerReport,
  columns: number,
): HeatStrip | null {
  if (!channels || channels_omitted || !out_features || out_features < 2 || columns < NARROWEST) return null;
  const channelsPerColumn = Math.ceil(out_features / columns);
  const worst = new Array<number>(Math.ceil(out_features / channelsPerColumn)).fill(0);
  for (const { channel, max_abs_diff: size } of channels) {
    const column = Math.floor(channel / channelsPerColumn);
    worst[column] = Math.max(worst[column], size);
  }
  const top = Math.log2(1 + Math.min(Math.max(...worst), Number.MAX_VALUE));
  const level = (size: number) => Math.ceil((HIGHEST * Math.log2(1 + Math.min(size, Number.MAX_VALUE))) / top);
  return { levels: worst.map((size) => (size === 0 ? 0 : level(size))), channelsPerColumn };
}

/** The strip's characters; `paint` colours one by its level. */
export function stripText(
  { levels }: HeatStrip,
  unicode: boolean,
  paint: (text: string, level: number) => string,
): string {
  const marks = unicode ? BLOCKS : ASCII;
  return levels.map((level) => (level === 0 ? ' ' : paint(marks[level], level))).join('');
}
