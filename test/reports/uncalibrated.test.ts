/** A model whose calibration step was left out: the observers' first numbers are all there is. */
import { expect, test } from 'vitest';
import { cli } from '../support/cli.js';

const report = 'fixtures/reports/never-calibrated';

test.each([['model.json', 'capture.npz'], ['model.json']])(
  'lint warns of each value, before all else: %s',
  async (...files) => {
    const { stdout } = await cli()(['lint', ...files.map((file) => `${report}/${file}`), '--reporter', 'json']);
    const { findings } = JSON.parse(stdout) as { findings: { code: string; severity: string; layer: string }[] };
    const own = findings.filter(({ code }) => code === 'never-calibrated');
    expect(own.map(({ layer, severity }) => [layer, severity])).toEqual([
      ['quan', 'warning'],
      ['conv', 'warning'],
    ]);
    expect(findings[0].code).toBe('never-calibrated');
  },
);

const calibrated = { dtype: 'uint8', scale: 0.5, zero_point: 0 };
const untouched = { dtype: 'uint8', scale: 1, zero_point: 0 };

test.each([
  ['another scale', calibrated, []],
  ['another zero point', { ...untouched, zero_point: 1 }, []],
  ['nothing measured', untouched, ['q']], // relu passes it on
])('%s', async (_, output, named) => {
  const model = {
    format: 'qdiff-model',
    version: 1,
    inputs: [{ name: 'x', dtype: 'float32' }],
    layers: [
      { name: 'q', op: 'quantize', input: 'x', output },
      { name: 'r', op: 'relu', input: 'q' },
    ],
  };
  const files = new Map([['m.json', JSON.stringify(model)]]);
  const { stdout } = await cli(files)(['lint', 'm.json', '--reporter', 'json']);
  const { findings } = JSON.parse(stdout) as { findings: { code: string; layer: string }[] };
  expect(findings.filter(({ code }) => code === 'never-calibrated').map(({ layer }) => layer)).toEqual(named);
});
