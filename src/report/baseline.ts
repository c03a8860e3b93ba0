import type { BaselineChange, LayerResult, Report } from '../nouns/report.js';
import { counted, printable } from '../text.js';
import { size } from './words/numbers.js';

const MOST_CHANNELS = 8;

/** What a baseline has to do with this run, or with one layer: how it got worse first, then what got better. */
export function baselineSentences(report: Report, layer?: string): string[] {
  const { baseline } = report;
  if (!baseline) return [];
  const { updated, file } = baseline;
  const changes = baseline.changes.filter((change) => layer === undefined || change.layer === layer);
  const isBetter = ({ change }: BaselineChange) => change === 'better';
  const better = changes.filter(isBetter);
  const sentences = [...changes.filter((change) => !isBetter(change)), ...better].map((change) => {
    return changeSentence(change, unitOf(report, change.layer));
  });
  if (layer !== undefined) return sentences;
  if (updated) return [...sentences, `${printable(file)}: written`];
  if (better.length === 0) return sentences;
  return [...sentences, `${printable(file)}: --update-baseline records what got better`];
}

/** "better than baseline", "not in the baseline", ...: what a reader looks for. */
const CHANGE_WORDS: Readonly<Record<BaselineChange['change'], string>> = {
  new: 'not in the baseline',
  'explained-differently': 'explained differently than in the baseline',
  larger: 'larger than baseline',
  better: 'better than baseline',
};

/** "larger than baseline: fc1: 970 values by up to 80 lsb, recorded 963 by up to 74; channel 3 (91 values by up to 42, recorded 90 by up to 42)". */
export function changeSentence({ layer, change, recorded, found, ...rest }: BaselineChange, unit: string): string {
  const differently = change === 'explained-differently';
  const now = `${extent(found, unit)}${differently || change === 'new' ? ` (${causes(found)})` : ''}`;
  const then = `recorded ${recorded.mismatched} by up to ${size(recorded.max_abs_diff)}`;
  const before = change === 'new' ? [] : [`${then}${differently ? ` (${causes(recorded)})` : ''}`];
  const shown = rest.channels.slice(0, MOST_CHANNELS);
  const more = rest.channels.length + rest.channels_omitted - shown.length;
  const channels = shown.map(({ channel, found: c, recorded: r }) => {
    const was =
      r.mismatched === 0
        ? change === 'new'
          ? ''
          : ', new'
        : `, recorded ${r.mismatched} by up to ${size(r.max_abs_diff)}`;
    return `channel ${channel} (${extent(c)}${was})`;
  });
  const where = [...channels, ...(more > 0 ? [`${counted(more, 'more channel')}`] : [])];
  const detail = change === 'better' || where.length === 0 ? '' : `; ${where.join(', ')}`;
  return `${CHANGE_WORDS[change]}: ${printable(layer)}: ${[now, ...before].join(', ')}${detail}`;
}

function extent({ mismatched, max_abs_diff }: Omit<LayerResult, 'causes'>, unit = ''): string {
  return mismatched === 0 ? 'nothing differs' : `${counted(mismatched, 'value')} by up to ${size(max_abs_diff)}${unit}`;
}

function causes(result: LayerResult): string {
  return result.causes.map(printable).join(' + ') || 'not diagnosed';
}

function unitOf(report: Report, layer: string): string {
  const unit = (report.candidate_layers ?? report.layers).find(({ name }) => name === layer)?.unit;
  return unit ? ` ${unit}` : '';
}
