import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { nextCommand } from '../../src/report/words/next.js';
import { readReport } from './reports.js';

const all = { commands: ['explain', 'forecast'] };

test('a layer that differs: explain its worst channel', () => {
  expect(nextCommand(readReport('iris-avx2'), all)).toBe(
    'qdiff explain model.json capture.npz --layer fc1 --channel 8',
  );
  expect(nextCommand(readReport('iris-avx2-candidate'), all)).toBe(
    'qdiff explain model.json capture.npz --candidate golden.npz --layer fc1 --channel 1',
  );
});

test('beside another model: the layer with all its channels, since explain takes no second model', () => {
  const report = { ...readReport('iris-avx2-candidate'), candidate_model: 'other.onnx' };
  expect(nextCommand(report, all)).toBe(
    'qdiff model.json capture.npz --candidate-model other.onnx --candidate golden.npz --layer fc1 --channels all',
  );
});

test('only commands that there are', () => {
  const none = { commands: [] };
  expect(nextCommand(readReport('iris-avx2'), none)).toBe('qdiff model.json capture.npz --layer fc1 --channels all');
  expect(nextCommand({ ...readReport('iris-avx2'), mode: 'propagated' }, none)).toBe(
    'qdiff model.json capture.npz --mode propagated --layer fc1 --channels all',
  );
  expect(nextCommand(readReport('iris-vnni'), none)).toBeNull();
});

test('all equal: what would other kernels give', () => {
  expect(nextCommand(readReport('iris-vnni'), all)).toBe('qdiff forecast model.json capture.npz');
});

test('a shell reads back the very names, and no name is an option or a command', () => {
  const report = readReport('iris-vnni');
  report.model = "it's; $(touch x) `y`/model.json";
  report.capture = '-rf';
  const words = nextCommand(report, all)!.replace('qdiff forecast', 'printf "%s\\n"');
  expect(execFileSync('sh', ['-c', words], { encoding: 'utf8' })).toBe(`${report.model}\n./-rf\n`);
  const dashed = readReport('iris-avx2');
  dashed.first_divergence = dashed.layers[0].name = '--candidate';
  expect(nextCommand(dashed, all)).toContain('--layer=--candidate');
});

test('a name that cannot be typed gives no command', () => {
  expect(nextCommand({ ...readReport('iris-vnni'), model: 'a\u001b[2J.json' }, all)).toBeNull();
});
