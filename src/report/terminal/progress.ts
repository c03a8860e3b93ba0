import { printable } from '../../text.js';
import type { ReportOptions } from '../reporter.js';
import { displayWidth, padEnd, shortenName } from './layout.js';

/** How far a comparison is. */
export interface ProgressState {
  readonly layer: string;
  readonly layersDone: number;
  readonly layersTotal: number;
  /** Of the current layer. */
  readonly samplesDone: number;
  readonly samplesTotal: number;
  readonly elapsedMs: number;
  /** Of a layer whose causes are sought: hypotheses. */
  readonly tried?: number;
}

/** Below this an estimate jumps too much to be worth reading. */
const ESTIMATE_FROM_MS = 3000;

/** One line of exactly width - 1 columns (the last column wraps on some terminals), to be overwritten by the next. */
export function progressLine(
  state: ProgressState,
  { width, unicode }: Pick<ReportOptions, 'width' | 'unicode'>,
): string {
  const { layersDone, layersTotal, samplesDone, samplesTotal, elapsedMs, tried } = state;
  const layerShare = samplesTotal === 0 ? 0 : samplesDone / samplesTotal;
  const share = layersTotal === 0 ? 1 : Math.min(1, (layersDone + layerShare) / layersTotal);
  const estimates =
    elapsedMs >= ESTIMATE_FROM_MS && share > 0
      ? [`${duration((elapsedMs * (1 - share)) / share)} left`, rate(layersTotal * share, elapsedMs)]
      : [];
  const layer = `layer ${Math.min(layersDone + 1, layersTotal)} of ${layersTotal}`;
  const parts =
    tried === undefined
      ? [`${Math.floor(100 * share)}%, ${layer}`, ...estimates, `sample ${samplesDone} of ${samplesTotal}`]
      : [`${layer}, trying hypothesis ${tried}`]; // how many there are shows at the end
  while (parts.length > 1 && parts.join(', ').length + 12 > width - 1) parts.pop();
  const line = parts.join(', ');
  const room = width - 1 - line.length - 2;
  const name = room >= 4 ? `: ${shortenName(printable(state.layer), room, unicode ? '…' : '...')}` : '';
  const whole = line + name;
  return displayWidth(whole) < width ? padEnd(whole, width - 1) : whole.slice(0, width - 1);
}

/** "2.5 layers/s", "12 layers/min". */
function rate(layers: number, milliseconds: number): string {
  const aSecond = (1000 * layers) / milliseconds;
  const [count, unit] = aSecond >= 1 ? [aSecond, 's'] : [60 * aSecond, 'min'];
  return `${Number(count.toPrecision(2))} layers/${unit}`;
}

function duration(milliseconds: number): string {
  const seconds = Math.ceil(milliseconds / 1000);
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.ceil(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}
