import type { Report } from '../../src/nouns/report.js';
import type { Run } from '../../src/report/reporter.js';
import { readReport } from './reports.js';

export function runOf(report: Report): Run {
  return { name: report.model, report };
}

/** Three models of one run, one with a baseline that got better here and worse there. */
export function several(): Run[] {
  const gated = readReport('iris-avx2');
  gated.layers[2].accepted = 'baseline';
  gated.baseline = {
    file: 'baseline.json',
    updated: false,
    changes: [
      {
        layer: 'fc1',
        change: 'larger',
        recorded: { mismatched: 960, max_abs_diff: 74, causes: ['int16-saturation'] },
        found: { mismatched: 963, max_abs_diff: 74, causes: ['int16-saturation'] },
        channels: [
          { channel: 3, recorded: { mismatched: 0, max_abs_diff: 0 }, found: { mismatched: 37, max_abs_diff: 53 } },
        ],
        channels_omitted: 0,
      },
      {
        layer: 'fc2',
        change: 'better',
        recorded: { mismatched: 9, max_abs_diff: 6, causes: ['int16-saturation'] },
        found: { mismatched: 8, max_abs_diff: 6, causes: ['int16-saturation'] },
        channels: [],
        channels_omitted: 0,
      },
    ],
  };
  const required = readReport('tour');
  required.warnings.push({ code: 'require-replayed', where: 'conv', message: 'required, but not-replayed' });
  return [
    { name: 'iris', report: gated },
    { name: 'vnni', report: readReport('iris-vnni') },
    { name: '@octocat <b>&|`tour`', report: required },
  ];
}

/** A name with everything that some format could obey. */
export const HOSTILE =
  '@octocat #1 |a\\|b| `c` ``` <script>alert(1)</script> ]]> "q" \'\n::error::x\r\n\n# h\u0000\u001b[2J\u202e\ufffe![i](javascript:x) www.evil.example http://evil.example ##[error]y';

/** Every name and text from outside is hostile. */
export function hostile(): Run {
  const report = readReport('iris-avx2');
  report.model = report.capture = HOSTILE;
  for (const layer of report.layers) {
    layer.name = `${layer.name} ${HOSTILE}`;
    layer.op = HOSTILE;
    if (layer.diagnosis) layer.diagnosis.fix = `fix ${HOSTILE}`;
  }
  Object.assign(report.layers[2].diagnosis!, { causes: ['inherited'], evidence: { inherited: { from: HOSTILE } } });
  report.first_divergence = report.layers[0].name;
  report.coverage = { compared: 2, layers: 3, not_compared: [HOSTILE] };
  report.warnings = [{ code: HOSTILE, where: HOSTILE, message: HOSTILE }];
  report.baseline = {
    file: HOSTILE,
    updated: false,
    changes: report.layers.slice(0, 1).map((layer) => ({
      layer: layer.name,
      change: 'explained-differently',
      recorded: { mismatched: 1, max_abs_diff: 1, causes: [HOSTILE] },
      found: { mismatched: 963, max_abs_diff: 74, causes: [HOSTILE] },
      channels: [],
      channels_omitted: 0,
    })),
  };
  return { name: HOSTILE, report };
}

/** A report as large as they come: layers with names of 1000 characters. */
export function huge(layers: number): Run {
  const report = readReport('iris-avx2');
  const [fc1] = report.layers;
  report.layers = Array.from({ length: layers }, (_, i) => {
    const diagnosis = { ...fc1.diagnosis!, causes: ['weight-value'], evidence: {} };
    return { ...fc1, diagnosis, name: `${i}.${'长'.repeat(1000)}` };
  });
  return runOf(report);
}
