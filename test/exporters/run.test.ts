/** `qdiff run` with the runtimes that are there. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import type { Report } from '../../src/nouns/report.js';
import { processes } from '../../src/processes.js';
import { npy } from '../support/npz.js';
import { notExplained } from './command.js';
import { findPython, findPythonWith, PROJECT, type Python, run } from './python.js';

const folder = mkdtempSync(join(tmpdir(), 'qdiff-run-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const QDIFF = join(PROJECT, 'bin/qdiff.js');
const temporary = join(folder, 'temporary');
mkdirSync(temporary);

const environment = ({ path }: Python) => ({ QDIFF_PYTHON: path!, TMPDIR: temporary });
const qdiff = (python: Python, ...args: string[]) =>
  run(process.execPath, [QDIFF, 'run', ...args], { cwd: folder, env: environment(python) });

const suite = ({ missing }: Python, name: string) =>
  missing === null ? ([describe, name] as const) : ([describe.skip, `${name} (skipped: ${missing})`] as const);

const fixture = (path: string) => join(PROJECT, 'fixtures', path);

/** NODE_PATH may name the folder where it is. */
const node: Python =
  processes.beside('onnxruntime-node') === null
    ? { path: null, missing: 'no onnxruntime-node beside qdiff' }
    : { path: 'python3', missing: null };

const runtimes = [
  ['onnxruntime-node', node, 'onnx/mlp-qdq-u8s8/model.onnx', 'onnx/mlp-qdq-u8s8/capture.npz'],
  // its numbers lie beside it
  ['onnxruntime-node', node, 'onnx/conv1d-qdq-external/model.onnx', 'onnx/conv1d-qdq-external/capture.npz'],
  [
    'onnxruntime',
    findPythonWith('onnx', 'onnxruntime'),
    'onnx/mlp-qdq-u8s8/model.onnx',
    'onnx/mlp-qdq-u8s8/capture.npz',
  ],
  ['xnnpack', findPythonWith('ai_edge_litert'), 'tflite/cnn-int8/model.tflite', 'tflite/cnn-int8/captured-ref.npz'],
  [
    'tflite-builtin',
    findPythonWith('ai_edge_litert'),
    'tflite/cnn-int8/model.tflite',
    'tflite/cnn-int8/captured-ref.npz',
  ],
  [
    'tflite-reference',
    findPythonWith('ai_edge_litert'),
    'tflite/cnn-int8/model.tflite',
    'tflite/cnn-int8/captured-ref.npz',
  ],
  [
    'tflm',
    findPythonWith('ai_edge_litert', 'tflite_micro'),
    'tflite/cnn-int8/model.tflite',
    'tflite/cnn-int8/captured-ref.npz',
  ],
] as const;

for (const [runtime, python, model, inputs] of runtimes) {
  const [describeRun, title] = suite(python, `qdiff run --runtime ${runtime}`);
  describeRun(title, () => {
    test(`captures, compares, and leaves the capture alone: ${model}`, () => {
      const kept = join(folder, `${runtime}.npz`);
      const options = ['--runtime', runtime, '-o', kept, '--reporter', 'json'];
      const { status, stdout, stderr } = qdiff(python, fixture(model), fixture(inputs), ...options);
      expect({ status: status !== null && status < 2, stderr }).toEqual({ status: true, stderr: '' });
      const report = JSON.parse(stdout) as Report;
      expect(report.layers.length).toBeGreaterThan(2);
      expect(notExplained(report)).toEqual([]);
      expect(existsSync(kept)).toBe(true);
      expect(readdirSync(temporary)).toEqual([]);
    });
  });
}

const torch = findPython();
const [describeTorch, title] = suite(torch, 'qdiff run FILE.py:NAME');
describeTorch(title, () => {
  const script = `
import sys, time
import torch
import torch.ao.quantization as Q
from helper import SIZE

print("a script may talk")

def model():
    torch.manual_seed(0)
    net = torch.nn.Sequential(Q.QuantStub(), torch.nn.Linear(SIZE, 16), torch.nn.ReLU(), torch.nn.Linear(16, 3), Q.DeQuantStub()).eval()
    net.qconfig = Q.get_default_qconfig("qnnpack")
    torch.backends.quantized.engine = "qnnpack"
    prepared = Q.prepare(net)
    prepared(torch.randn(50, SIZE))
    return Q.convert(prepared)

class Models:
    first = model()

def broken():
    raise ValueError("mine")

class Broken(torch.nn.Module):
    def forward(self, x):
        raise ValueError("inside")

class Pair(torch.nn.Module):
    def forward(self, a, b):
        return a

def slow():
    open("started", "w").close()
    time.sleep(100)

if __name__ == "__main__":
    raise SystemExit("runs alone only")
`;
  writeFileSync(join(folder, 'train.py'), script);
  writeFileSync(join(folder, 'helper.py'), 'SIZE = 4\n');
  writeFileSync(
    join(folder, 'x.npy'),
    npy(
      'float32',
      [5, 4],
      Float32Array.from({ length: 20 }, (_, i) => i / 7 - 1),
    ),
  );

  test.each(['train.py:model', './train.py:Models.first'])('%s', (model) => {
    const { status, stdout, stderr } = qdiff(torch, model, 'x.npy', '--reporter', 'json');
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
    expect(JSON.parse(stdout)).toMatchObject({
      model,
      capture: 'x.npy',
      kernel: 'qnnpack',
      verdict: 'match',
      total: 5,
    });
    expect(readdirSync(temporary)).toEqual([]);
    expect(existsSync(join(folder, '__pycache__'))).toBe(false);
  });

  test('what is kept is compared again', () => {
    const { status } = qdiff(torch, 'train.py:model', 'x.npy', '-o', 'kept/c.npz', '-q');
    expect(status).toBe(0);
    expect(readdirSync(join(folder, 'kept')).sort()).toEqual(['c.model.json', 'c.npz']);
    const again = run(process.execPath, [QDIFF, 'kept/c.model.json', 'kept/c.npz', '-q'], { cwd: folder });
    expect(again).toMatchObject({ status: 0, stderr: '' });
  });

  test.each([
    ['broken', 'qdiff: train.py:broken: train.py line 22: ValueError: mine\n'],
    ['absent', "qdiff: train.py:absent: AttributeError: module 'train' has no attribute 'absent'\n"],
    ['Broken', 'qdiff: train.py:Broken: train.py line 26: ValueError: inside\n'],
    [
      'Pair',
      "qdiff: train.py:Pair: x.npy: one array for forward(a, b): missing a required argument: 'b'; expected an npz whose keys are its arguments\n",
    ],
    ['SIZE', 'qdiff: train.py:SIZE: expected a torch.nn.Module, got int\n'],
  ])('%s: one line', (name, stderr) => {
    expect(qdiff(torch, `train.py:${name}`, 'x.npy', '-o', 'never.npz')).toEqual({ status: 2, stdout: '', stderr });
    expect(existsSync(join(folder, 'never.npz'))).toBe(false);
  });

  test('Ctrl-C ends both programs and leaves nothing', async () => {
    const env = { ...process.env, ...environment(torch) };
    const child = spawn(process.execPath, [QDIFF, 'run', 'train.py:slow', 'x.npy'], { cwd: folder, env });
    const end = new Promise((resolve) => child.on('close', (status, signal) => resolve({ status, signal })));
    while (!existsSync(join(folder, 'started'))) await new Promise((resolve) => setTimeout(resolve, 100));
    expect(readdirSync(temporary)).toHaveLength(1);
    child.kill('SIGINT');
    expect(await end).toEqual({ status: null, signal: 'SIGINT' });
    expect(readdirSync(temporary)).toEqual([]);
  });
});
