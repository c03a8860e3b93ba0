import type { PageLayerDetails } from '../../src/documents/blob.js';
import type { Run } from '../../src/report/reporter.js';
import { readReport } from './reports.js';

/** A page's worst case: layers x channels that nearly all differ, with single values of some. */
export function bigRun(layers: number, channels: number): Run {
  const report = readReport('iris-avx2');
  const [fc1] = report.layers;
  const samples = 512;
  report.samples = samples;
  report.layers = Array.from({ length: layers }, (_, l) => {
    const diagnosis = { ...fc1.diagnosis!, causes: [l % 3 === 0 ? 'int16-saturation' : 'rounding-floor'] };
    const all = Array.from({ length: channels }, (_, channel) => {
      const mismatched = 1 + ((channel * 7919 + l * 104729) % samples);
      const size = 1 + ((channel * 31 + l * 17) % 97);
      const histogram = [0, 0, 0, mismatched, samples - mismatched, 0, 0, 0, 0];
      return { channel, mismatched, max_abs_diff: size, mean_diff: -size / 7, histogram, causes: diagnosis.causes };
    }).filter(({ channel }) => (channel + l) % 5 !== 0);
    return {
      ...fc1,
      name: `model.layers.${l}.mlp.down_proj`,
      out_features: channels,
      values: channels * samples,
      mismatched: all.reduce((sum, c) => sum + c.mismatched, 0),
      max_abs_diff: 97,
      channels: all,
      diagnosis,
    };
  });
  report.replayed = report.total = layers;
  report.first_divergence = report.layers[0].name;
  const details = report.layers.slice(0, 24).map(
    ({ name, channels: all }): PageLayerDetails => ({
      name,
      channels: all!.slice(0, 6).map(({ channel }) => ({
        channel,
        samples: Array.from({ length: 300 }, (_, sample) => sample),
        expected: Array.from({ length: 300 }, (_, sample) => sample % 256),
        actual: Array.from({ length: 300 }, (_, sample) => (sample + (sample % 9)) % 256),
        map: null,
        explained: null,
      })),
    }),
  );
  return { name: 'big', report, details };
}
