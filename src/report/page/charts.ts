/** Charts of one layer or of all, on uPlot. Each returns what the page needs to redraw and to remove it. */
import uPlot from 'uplot';
import { type Layer, short } from './model.js';

export interface Chart {
  redraw(): void;
  destroy(): void;
}

export interface HeatmapChart extends Chart {
  select(row: number, channel: number): void;
}

/** Colours and font of the page's theme, as they are now. */
function theme() {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return { color, font: '12px system-ui, sans-serif' };
}

function axes(xLabel: string, yLabel: string, more: { x?: uPlot.Axis; y?: uPlot.Axis } = {}): uPlot.Axis[] {
  const common = {
    stroke: () => theme().color('dim'),
    grid: { stroke: () => theme().color('grid'), width: 1 },
    ticks: { stroke: () => theme().color('grid'), width: 1 },
    font: theme().font,
    labelFont: theme().font,
    labelSize: 22,
  };
  return [
    { ...common, label: xLabel, size: 40, ...more.x },
    { ...common, label: yLabel, size: 60, ...more.y },
  ];
}

/** A plot as wide as its place, whatever becomes of the window. */
function mounted(place: HTMLElement, height: number, options: Omit<uPlot.Options, 'width' | 'height'>, data: unknown) {
  const width = () => Math.max(200, place.clientWidth);
  const plot = new uPlot({ ...options, width: width(), height }, data as uPlot.AlignedData, place);
  const observer = new ResizeObserver(() => {
    if (Math.abs(plot.width - width()) > 1) plot.setSize({ width: width(), height });
  });
  observer.observe(place);
  return {
    plot,
    redraw: () => plot.redraw(false, true),
    destroy: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

/** Steps between the ticks of channels. */
const WHOLE = [1, 10, 100, 1e3, 1e4, 1e5, 1e6].flatMap((ten) => [ten, 2 * ten, 5 * ten]);

const BASE = { legend: { show: false }, padding: [8, 8, 0, 0] as uPlot.Padding };

// ---------------------------------------------------------------- layers x channels

/** Most columns of the picture; more channels share one, which shows the worst. */
const MOST_COLUMNS = 4096;

export interface HeatmapInput {
  readonly layers: readonly Layer[];
  readonly value: (layer: Layer, position: number) => number;
  /** Whether a channel's cause set is to be shown; others are drawn as equal. */
  readonly shows: (causeSet: number) => boolean;
  readonly onHover: (row: number, channel: number) => void;
  readonly onPick: (row: number, channel: number) => void;
}

export function heatmap(place: HTMLElement, input: HeatmapInput): HeatmapChart {
  const { layers } = input;
  const features = layers.reduce((most, layer) => Math.max(most, layer.outFeatures), 1);
  const height = Math.min(640, Math.max(130, layers.length * 14 + 70));
  const picture = paintPicture(input, features);
  let selected: { row: number; channel: number } | null = null;
  const draw = (u: uPlot) => {
    const { ctx, bbox } = u;
    const x = { from: u.scales.x.min!, to: u.scales.x.max! };
    const y = { from: u.scales.y.min!, to: u.scales.y.max! };
    ctx.save();
    ctx.beginPath();
    ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
    ctx.clip();
    ctx.imageSmoothingEnabled = false;
    const perChannel = picture.canvas.width / features;
    const source = [x.from * perChannel, y.from, (x.to - x.from) * perChannel, y.to - y.from] as const;
    ctx.drawImage(picture.canvas, ...source, bbox.left, bbox.top, bbox.width, bbox.height);
    if (selected) {
      const { row, channel } = selected;
      const [left, right] = [channel, channel + 1].map((at) => u.valToPos(at, 'x', true));
      const [top, bottom] = [row, row + 1].map((at) => u.valToPos(at, 'y', true));
      const inset = devicePixelRatio;
      ctx.strokeStyle = theme().color('accent');
      ctx.lineWidth = 2 * devicePixelRatio;
      const width = Math.max(right - left - 2 * inset, 4 * devicePixelRatio); // a channel may be narrower than the outline
      ctx.strokeRect(left + inset, top + inset, width, bottom - top - 2 * inset);
    }
    ctx.restore();
  };
  const cell = (u: uPlot) => ({
    row: Math.floor(u.posToVal(u.cursor.top!, 'y')),
    channel: Math.floor(u.posToVal(u.cursor.left!, 'x')),
  });
  const inside = ({ row, channel }: { row: number; channel: number }) =>
    row >= 0 && row < layers.length && channel >= 0 && channel < features;
  const names = layers.map(({ name }) => (name.length > 18 ? `…${name.slice(-17)}` : name));
  const every = Math.max(1, Math.ceil(layers.length / ((height - 70) / 13)));
  const chart = mounted(
    place,
    height,
    {
      ...BASE,
      scales: {
        x: { time: false, range: (_u, min, max) => [min ?? 0, max ?? features] },
        y: { range: [0, layers.length], dir: -1 },
      },
      axes: axes('channel', '', {
        x: { grid: { show: false }, incrs: WHOLE },
        y: {
          size: 130,
          labelSize: 0,
          grid: { show: false },
          splits: () => layers.flatMap((_, i) => (i % every === 0 ? [i + 0.5] : [])),
          values: (_u, splits) => splits.map((at) => names[Math.floor(at)] ?? ''),
        },
      }),
      series: [{}, { paths: () => null, points: { show: false } }],
      cursor: { drag: { x: true, y: false, dist: 6 }, points: { show: false } },
      hooks: {
        draw: [draw],
        setCursor: [
          (u) => {
            const at = cell(u);
            if (u.cursor.left! >= 0 && inside(at)) input.onHover(at.row, at.channel);
          },
        ],
        ready: [
          (u) => {
            u.over.addEventListener('click', () => {
              const at = cell(u);
              if (inside(at)) input.onPick(at.row, at.channel);
            });
          },
        ],
      },
    },
    [
      [0, features],
      [0, 0],
    ],
  );
  return {
    select: (row, channel) => {
      selected = { row, channel };
      chart.plot.redraw(false, false);
    },
    redraw: () => {
      picture.paint();
      chart.redraw();
    },
    destroy: chart.destroy,
  };
}

function paintPicture({ layers, value, shows }: HeatmapInput, features: number) {
  const canvas = document.createElement('canvas');
  canvas.width = Math.min(MOST_COLUMNS, features);
  canvas.height = Math.max(1, layers.length);
  const context = canvas.getContext('2d')!;
  const perChannel = canvas.width / features;
  let top = 0;
  for (const layer of layers) {
    for (let i = 0; i < layer.channels.length; i++) top = Math.max(top, Math.min(Math.abs(value(layer, i)), 1e12));
  }
  const paint = () => {
    const ramp = colors();
    const equal = rgb(theme().color('equal'));
    const image = context.createImageData(canvas.width, canvas.height);
    const levels = new Float32Array(canvas.width);
    for (const [row, layer] of layers.entries()) {
      levels.fill(-1);
      levels.fill(0, 0, Math.ceil(layer.outFeatures * perChannel));
      for (let i = 0; i < layer.channels.length; i++) {
        if (!shows(layer.causeSet[i])) continue;
        const at = Math.floor(layer.channels[i] * perChannel);
        const level = Math.log2(1 + Math.min(Math.abs(value(layer, i)), 1e12)) / Math.log2(1 + top);
        if (level > levels[at]) levels[at] = level;
      }
      for (let at = 0; at < levels.length; at++) {
        if (levels[at] < 0) continue; // beyond the layer's channels
        const color = levels[at] === 0 ? equal : ramp[Math.min(255, Math.floor(levels[at] * 255))];
        image.data.set(color, 4 * (row * canvas.width + at));
      }
    }
    context.putImageData(image, 0, 0);
  };
  paint();
  return { canvas, paint };
}

type Rgba = readonly [number, number, number, number];

function rgb(hex: string): Rgba {
  const number = Number.parseInt(hex.slice(1), 16);
  return [number >> 16, (number >> 8) & 255, number & 255, 255];
}

/** 256 colours between the theme's four. */
function colors(): Rgba[] {
  const stops = [0, 1, 2, 3].map((i) => rgb(theme().color(`heat${i}`)));
  return Array.from({ length: 256 }, (_, i) => {
    const at = (i / 255) * (stops.length - 1);
    const from = Math.min(Math.floor(at), stops.length - 2);
    const mix = (c: number) => Math.round(stops[from][c] + (stops[from + 1][c] - stops[from][c]) * (at - from));
    return [mix(0), mix(1), mix(2), 255];
  });
}

// ---------------------------------------------------------------- one layer

export const BINS = ['≤ -17', '-16..-5', '-4..-2', '-1', '0', '1', '2..4', '5..16', '≥ 17'];

/** Differences by size. Equal values are not drawn: they would hide all others. */
export function histogram(place: HTMLElement, counts: readonly number[]): Chart {
  const shown = counts.map((count, i) => (i === 4 ? null : count));
  return mounted(
    place,
    220,
    {
      ...BASE,
      scales: { x: { time: false, range: [-0.6, 8.6] }, y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.05)] } },
      axes: axes('difference (actual - expected)', 'values', {
        x: {
          splits: () => BINS.map((_, i) => i),
          values: () => BINS,
          grid: { show: false },
          space: 10,
          rotate: 40,
          size: 58,
        },
      }),
      series: [{}, bars('heat2', 0.9)],
      cursor: { show: false },
    },
    [BINS.map((_, i) => i), shown],
  );
}

function bars(color: string, width: number): uPlot.Series {
  return {
    stroke: () => theme().color(color),
    fill: () => theme().color(color),
    width: 0,
    paths: uPlot.paths.bars!({ size: [width, 60, 1] }),
    points: { show: false },
  };
}

/** A bar a channel that differs: how far its values are off. */
export function channelBars(
  place: HTMLElement,
  layer: Layer,
  onHover: (channel: number) => void,
  onPick: (channel: number) => void,
): Chart {
  const xs = Array.from({ length: layer.outFeatures }, (_, channel) => channel);
  const ys: (number | null)[] = xs.map(() => null);
  layer.channels.forEach((channel, i) => {
    ys[channel] = layer.maxAbsDiff[i];
  });
  return mounted(
    place,
    220,
    {
      ...BASE,
      scales: {
        x: { time: false, range: (_u, min, max) => [min - 0.6, Math.max(max, min + 1) + 0.6] },
        y: { range: (_u, _min, max) => [0, Math.max(1, max * 1.05)] },
      },
      axes: axes('channel', `max |diff| (${layer.unit})`, { x: { grid: { show: false }, incrs: WHOLE } }),
      series: [{}, bars('heat2', 0.8)],
      cursor: { drag: { x: true, y: false, dist: 6 }, points: { show: false } },
      hooks: {
        setCursor: [(u) => void (u.cursor.idx != null && onHover(u.cursor.idx))],
        ready: [(u) => u.over.addEventListener('click', () => void (u.cursor.idx != null && onPick(u.cursor.idx)))],
      },
    },
    [xs, ys],
  );
}

/** Captured against actual values of one channel; equal ones lie on the line. */
export function scatter(place: HTMLElement, expected: readonly number[], actual: readonly number[]): Chart {
  const all = [...expected, ...actual];
  const low = all.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = all.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY);
  const pad = Math.max((high - low) * 0.05, 1e-9 * Math.max(1, Math.abs(high)), high === low ? 1 : 0);
  const range: uPlot.Range.MinMax = [low - pad, high + pad];
  const points = (u: uPlot, series: number) => {
    const [xs, ys] = u.data[series] as unknown as [number[], number[]];
    const { ctx } = u;
    const radius = 2.5 * devicePixelRatio;
    const { color } = theme();
    ctx.save();
    ctx.strokeStyle = color('dim');
    ctx.lineWidth = devicePixelRatio;
    ctx.beginPath();
    ctx.moveTo(u.valToPos(range[0]!, 'x', true), u.valToPos(range[0]!, 'y', true));
    ctx.lineTo(u.valToPos(range[1]!, 'x', true), u.valToPos(range[1]!, 'y', true));
    ctx.stroke();
    for (const [fill, equal] of [
      [color('accent'), true],
      [color('heat2'), false],
    ] as const) {
      ctx.fillStyle = fill;
      for (let i = 0; i < xs.length; i++) {
        if ((xs[i] === ys[i]) !== equal) continue;
        ctx.beginPath();
        ctx.arc(u.valToPos(xs[i], 'x', true), u.valToPos(ys[i], 'y', true), radius, 0, 2 * Math.PI);
        ctx.fill();
      }
    }
    ctx.restore();
    return null;
  };
  return mounted(
    place,
    260,
    {
      ...BASE,
      mode: 2,
      scales: { x: { time: false, range }, y: { range } },
      axes: axes('captured', 'actual'),
      series: [
        {},
        {
          paths: points as unknown as uPlot.Series.PathBuilder,
          facets: [
            { scale: 'x', auto: true },
            { scale: 'y', auto: true },
          ],
        },
      ],
      cursor: { show: false },
    },
    [null, [expected, actual]],
  );
}

/** For a chart's label: what it says in words. */
export function histogramText(counts: readonly number[]): string {
  const differing = counts.reduce((sum, count, i) => sum + (i === 4 ? 0 : count), 0);
  const lower = counts.slice(0, 4).reduce((sum, count) => sum + count, 0);
  return `${short(differing)} values differ: ${short(lower)} too low, ${short(differing - lower)} too high; ${short(counts[4])} are equal`;
}
