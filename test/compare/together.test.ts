import { expect, test } from 'vitest';
import { ofTwoTrainings, withOneKernel } from '../../src/compare/beyond/together.js';
import type { DiagnosisReport, LayerReport } from '../../src/nouns/report.js';

const layer = (name: string, change: Partial<LayerReport>, diagnosis: Partial<DiagnosisReport> | null = null) =>
  ({ name, op: 'linear', mismatched: 5, sqnr_db: -3, ...change, diagnosis }) as LayerReport;

const departs = (kernel: string, explained_by: string[]): Partial<DiagnosisReport> => {
  const text = `PyTorch computes as ${kernel} does, not onednn: write "kernel": "${kernel}" into the producer of model.json, or pass --kernel ${kernel}`;
  const fixes = [{ subject: 'capture' as const, text, rehearsal: null }];
  return { causes: ['multiplier-precision'], subject: 'capture', kernel, explained_by, fix: text, fixes };
};

test('of two kernels that explain a layer each, the one that explains both is advised', () => {
  const [fc1, fc2] = withOneKernel([
    layer('fc1', {}, departs('onednn-pointwise-avx2', ['onednn-pointwise-avx2'])),
    layer('fc2', {}, departs('onednn-avx2', ['onednn-avx2', 'onednn-pointwise-avx2'])),
  ]);
  expect(fc2.diagnosis).toMatchObject({ kernel: 'onednn-pointwise-avx2', fix: fc1.diagnosis!.fix });
  expect(fc2.diagnosis!.fixes[0].text).toBe(fc1.diagnosis!.fix);
});

test('kernels that share no layer stay what they are', () => {
  const layers = [
    layer('fc1', {}, departs('onednn-avx2', ['onednn-avx2'])),
    layer('fc2', {}, departs('qnnpack', ['qnnpack'])),
  ];
  expect(withOneKernel(layers)).toEqual(layers);
});

test('two trainings differ everywhere by more than their signal', () => {
  const unexplained = { causes: ['unexplained'] };
  const named = { causes: ['output-scale-wrong'] };
  const [warning] = ofTwoTrainings([layer('fc1', {}, named), layer('fc2', { sqnr_db: -1 }, unexplained)]);
  expect(warning).toMatchObject({ code: 'two-trainings', where: 'fc1' });
  expect(warning.message).toMatch(/^fc1, fc2 differ by more than their own signal .* two trainings/);
});

test('what has no weights agrees with any training', () => {
  const unexplained = { causes: ['unexplained'] };
  const others = [
    layer('quant', { op: 'quantize', mismatched: 0, sqnr_db: 'inf' }),
    layer('relu', { op: 'relu', sqnr_db: 15 }),
  ];
  expect(ofTwoTrainings([...others, layer('fc1', {}, unexplained), layer('fc2', {}, unexplained)])).toHaveLength(1);
});

test('so do they where the weights of each could be solved for', () => {
  const other = { causes: ['weight-value'] };
  expect(ofTwoTrainings([layer('fc1', {}, other), layer('fc2', {}, other)])).toHaveLength(1);
});

test.each([
  ['one layer', [layer('fc1', {}, { causes: ['unexplained'] })]],
  ['all of it has names', [layer('fc1', {}, { causes: ['signedness'] }), layer('fc2', {}, { causes: ['signedness'] })]],
  [
    'a layer that is equal',
    [
      layer('fc1', {}, { causes: ['unexplained'] }),
      layer('fc2', {}, { causes: ['unexplained'] }),
      layer('fc3', { mismatched: 0, sqnr_db: 'inf' }),
    ],
  ],
  [
    'a layer that nearly agrees',
    [
      layer('fc1', {}, { causes: ['unexplained'] }),
      layer('fc2', {}, { causes: ['unexplained'] }),
      layer('fc3', { sqnr_db: 31 }, { causes: ['bias-int32'] }),
    ],
  ],
])('%s is no other training', (_, layers) => {
  expect(ofTwoTrainings(layers)).toEqual([]);
});
