/** A layer that differs, as the diagnosis reads it: rows of channels; what it finds is said in samples and positions. */
import type { DifferingLayer } from '../diagnose/diagnose.js';
import type { Evidence } from '../diagnose/finding/evidence.js';
import type { LayerDiagnosis } from '../diagnose/finding/explanation.js';
import type { ImageRows } from '../diagnose/study/data.js';
import type { LayerDiffResult } from '../diff/layerDiff.js';
import type { ValueReader } from '../nouns/capture.js';
import { isProduct, isTensor } from '../nouns/model.js';
import type { Shape } from '../nouns/value.js';
import { type LayerRows, layerRows } from '../replay/rows.js';
import type { LayerRun } from '../replay/session.js';
import { toRows } from '../tensor/rows.js';
import { channelsOf, coordinatesOf, featureAt, placeOf, positionsOf } from '../tensor/shape.js';

export interface Difference {
  readonly run: LayerRun;
  /** What this side read, and what it wrote. */
  readonly input: ValueReader;
  /** All that it read, where that is not the run's. */
  readonly inputs?: readonly ValueReader[];
  readonly observed: ValueReader;
  /** Samples. */
  readonly from: number;
  readonly to: number;
  readonly diff: Pick<LayerDiffResult, 'mismatched' | 'witnesses'>;
  readonly afterRelu: boolean;
}

export function differingRows(difference: Difference): DifferingLayer {
  if (isTensor(difference.run.ready.layer)) return differingSamples(difference);
  const { run, input, inputs = run.inputs, observed, from, to, diff, afterRelu } = difference;
  const added = isProduct(run.ready.layer) ? inputs.slice(1) : [];
  const rows = layerRows(run, input);
  const each = rows.perSample;
  return {
    run: { ...run, batches: rows.batches, callOf: (row) => run.callOf(Math.floor(row / each)) },
    inputs: [rows.input, ...added.map(rows.of)],
    ...(run.ready.patch && { images: imagesOf(run, input, each) }),
    positions: each,
    observed: rows.of(observed),
    from: from * each,
    to: to * each,
    mismatched: diff.mismatched,
    witnesses: diff.witnesses.map(({ sample, position, channel }) => ({ sample: sample * each + position, channel })),
    afterRelu,
  };
}

/** What the patches of a convolution are taken from, as rows of channels. */
function imagesOf({ ready: { shapes } }: LayerRun, input: ValueReader, positions: number): ImageRows {
  const [shape] = shapes.inputs;
  const read = async (from: number, to: number) => toRows(await input.read(from, to), shape);
  return { width: input.features, channels: channelsOf(shape), positions, read };
}

/** Of what is computed from whole values: a row is a sample, a channel one of its features. */
function differingSamples({
  run,
  inputs = run.inputs,
  observed,
  diff,
  from,
  to,
  afterRelu,
}: Difference): DifferingLayer {
  const { output } = run.ready.shapes;
  const { mismatched, witnesses } = diff;
  return {
    run,
    inputs,
    observed,
    from,
    to,
    mismatched,
    witnesses: witnesses.map((place) => ({ sample: place.sample, channel: featureAt(output, place) })),
    afterRelu,
  };
}

/** Rows of what was found to samples and places; a layer of one place a sample is as it is. */
export function inSamples(found: LayerDiagnosis, run: LayerRun): LayerDiagnosis {
  if (isTensor(run.ready.layer)) return inPlaces(found, run.ready.shapes.output);
  const rows = layerRows(run, run.input);
  if (rows.perSample === 1) return found;
  const { evidence } = found.report;
  return { ...found, report: { ...found.report, evidence: placed(evidence, rows) as typeof evidence } };
}

/** Features of samples to channels and places. */
function inPlaces(found: LayerDiagnosis, shape: Shape): LayerDiagnosis {
  const evidence = onPlaces(withPlaces(found.report.evidence, shape) as Evidence, positionsOf(shape));
  return { ...found, byChannel: new Map(), report: { ...found.report, evidence } };
}

/** Samples of many places each tell as much as so many more of one. */
function onPlaces(evidence: Evidence, positions: number): Evidence {
  const { samples } = evidence.basis ?? {};
  if (samples === undefined || positions === 1) return evidence;
  return { ...evidence, basis: { ...evidence.basis, places: samples * positions } };
}

function withPlaces(evidence: unknown, shape: Shape): unknown {
  if (Array.isArray(evidence)) return evidence.map((one) => withPlaces(one, shape));
  if (typeof evidence !== 'object' || evidence === null) return evidence;
  const fields = Object.entries(evidence).map(([name, value]) => [name, withPlaces(value, shape)] as const);
  const { sample, channel: feature } = evidence as Record<string, unknown>;
  if (typeof sample !== 'number' || typeof feature !== 'number') return Object.fromEntries(fields);
  const { channel, position } = placeOf(shape, feature);
  return { ...Object.fromEntries(fields), channel, at: coordinatesOf(shape, position) };
}

/** Wherever evidence names one value, as {sample: row, channel}. */
function placed(evidence: unknown, rows: LayerRows): unknown {
  if (Array.isArray(evidence)) return evidence.map((one) => placed(one, rows));
  if (typeof evidence !== 'object' || evidence === null) return evidence;
  const fields = Object.entries(evidence).map(([name, value]) => [name, placed(value, rows)] as const);
  const { sample: row, channel } = evidence as Record<string, unknown>;
  if (typeof row !== 'number' || typeof channel !== 'number') return Object.fromEntries(fields);
  const at = coordinatesOf(rows.shape, row % rows.perSample);
  return { ...Object.fromEntries(fields), sample: Math.floor(row / rows.perSample), at };
}
