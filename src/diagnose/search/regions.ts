/** Where a layer differs, as parts in which a change may have taken place, and the same change there only. */
import { isUnlikely, Units } from '../../diff/pattern.js';
import type { Change, Region, Setup } from '../setup.js';
import { countOf } from '../study/agree.js';
import type { Study } from '../study/study.js';
import { missesLess } from './atOnce.js';

/** A part is believed where it has as many differing values a channel. */
const FEWEST_A_CHANNEL = 3;

/** A change that takes place in a part of the layer. */
export function within(change: Change, region: Region): Change {
  const { forms } = change;
  return {
    ...change,
    ...('channels' in region && { channels: region.channels }),
    ...(forms && { forms: forms.map((form) => within(form, region)) }),
    region,
    apply: (setup) => ({ ...change.apply(setup), within: { region, others: setup.within?.others ?? setup } }),
  };
}

/** Parts that hold all that a setup misses, the simplest first: from one channel to another, just these channels, from one row to another. */
export function regionsOf(study: Study, setup: Setup): Region[] {
  if (missesEverywhere(study, setup)) return [];
  const counts = study.mismatchesByChannel(setup);
  const values = countOf(counts);
  if (values < FEWEST_A_CHANNEL) return [];
  const channels: number[] = [];
  // not a list of all: more than these are no part
  for (let n = 0; n < counts.length && FEWEST_A_CHANNEL * channels.length <= values; n++)
    if (counts[n] > 0) channels.push(n);
  const regions: Region[] = [];
  if (channels.length < study.channels && values >= FEWEST_A_CHANNEL * channels.length) {
    const run = Array.from({ length: channels.at(-1)! - channels[0] + 1 }, (_, i) => channels[0] + i);
    if (run.length > channels.length && run.length < study.channels) regions.push({ channels: run });
    regions.push({ channels });
  }
  const part = samplesMissed(study, setup, values);
  return part ? [...regions, part] : regions;
}

/** Whether a sketch tells that a setup misses values in all channels, and in samples so far apart that no part holds them. */
function missesEverywhere(study: Study, setup: Setup): boolean {
  const { subset, channels, data } = study;
  const each = data.images?.positions ?? 1;
  const samples = Units.of(subset.samples.map((row) => Math.floor(row / each)));
  const all = (data.to - data.from) / each;
  if (2 * (samples.last - samples.first + 1) <= all || isUnlikely(samples, all, 0)) return false;
  const misses = study.misses(setup, study.sketch);
  const missed = (from: number, to: number, step: number) => {
    for (let i = from; i < to; i += step) if (misses[i] !== 0) return true;
    return false;
  };
  if (!missed(0, channels, 1) || !missed(misses.length - channels, misses.length, 1)) return false;
  for (let n = 0; n < channels; n++) if (!missed(n, misses.length, channels)) return false;
  return true;
}

/** Whether a setup may leave less than another, and that in a part. */
export function mayLeavePart(study: Study, setup: Setup, than: Setup): boolean {
  return !missesEverywhere(study, setup) && missesLess(study, setup, than);
}

/** Whole samples, of a convolution all of their rows; null: no pattern. */
function samplesMissed(study: Study, setup: Setup, values: number): Region | null {
  const { data } = study;
  const rows = rowsMissed(study, setup);
  const each = data.images?.positions ?? 1;
  const samples = Units.of(rows.map((row) => Math.floor(row / each)));
  if (!isUnlikely(samples, (data.to - data.from) / each, values)) return null;
  return { from: samples.first * each, to: (samples.last + 1) * each };
}

/** Rows, as the data count them, with a value that a setup misses. */
function rowsMissed(study: Study, setup: Setup): number[] {
  const misses = study.misses(setup, study.subset);
  const width = study.channels;
  return study.subset.samples.filter((_, row) => {
    for (let i = row * width; i < (row + 1) * width; i++) if (misses[i] !== 0) return true;
    return false;
  });
}
