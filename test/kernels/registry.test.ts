import { describe, expect, it, test } from 'vitest';
import { declaredKernel } from '../../src/kernels/named.js';
import { kernelByName, kernels } from '../../src/kernels/registry.js';
import { InputError } from '../../src/nouns/problem.js';

it('lists every kernel once, in the order of the documentation', () => {
  expect(kernels.map((kernel) => kernel.name)).toEqual([
    'fbgemm',
    'fbgemm-vnni',
    'fbgemm-avx2',
    'onednn',
    'onednn-amx',
    'onednn-avx512',
    'onednn-avx2',
    'onednn-sse41',
    'onednn-pointwise',
    'onednn-pointwise-amx',
    'onednn-pointwise-avx2',
    'qnnpack',
    'pt2e-reference',
    'torchao',
    'torchao-avx2',
    'ort',
    'ort-avx2',
    'ort-arm',
    'onnx-spec',
    'tflite-double',
    'tflite-double-up',
    'tflite-single',
    'tflite-float64',
    'tflite-reference',
    'tflite-builtin',
    'tflm',
    'xnnpack',
    'xnnpack-arm',
    'cmsis-nn',
    'cmsis-nn-single',
    'numpy',
    'numpy-float32',
  ]);
});

test.each(kernels)('$name says what it computes and where, on one line each', ({ equation, runsOn }) => {
  expect(equation).toMatch(/^y = [ -~]+$/);
  expect(runsOn).toMatch(/^[ -~]+$/);
});

describe('kernelByName', () => {
  it('finds a kernel', () => expect(kernelByName('ort-arm').name).toBe('ort-arm'));

  it.each([
    ['fbgem', 'fbgem"; did you mean fbgemm, fbgemm-vnni, fbgemm-avx2?'],
    ['FBGEMM', 'FBGEMM"; did you mean fbgemm, fbgemm-vnni, fbgemm-avx2?'],
    ['qnpack', 'qnpack"; did you mean qnnpack?'],
    ['', '";'],
    ['__proto__', '__proto__";'],
    ['a\u001b[31m', 'a\\x1b[31m";'],
  ])('refuses %j and says what is near', (name, said) => {
    expect(() => kernelByName(name)).toThrow(InputError);
    expect(() => kernelByName(name)).toThrow(
      `--kernel: expected a kernel's name, got "${said} qdiff kernels lists all`,
    );
  });
});

test.each([
  [{}, 'fbgemm'],
  [{ engine: 'x86' }, 'fbgemm'],
  [{ engine: 'fbgemm' }, 'fbgemm'],
  [{ engine: 'onednn' }, 'onednn'],
  [{ engine: 'qnnpack' }, 'qnnpack'],
  [{ engine: 'none' }, 'fbgemm'],
  [{ flow: 'fx', engine: 'qnnpack' }, 'qnnpack'],
  [{ flow: 'pt2e-reference' }, 'pt2e-reference'],
  [{ flow: 'pt2e-reference', engine: 'x86' }, 'pt2e-reference'],
  [{ flow: 'pt2e-lowered', engine: 'x86' }, 'onednn-pointwise'],
  // saturation is found, not assumed
  [{ engine: 'x86', cpuCapability: 'AVX2', avx512Vnni: false }, 'fbgemm'],
  [{ engine: 'x86', kernel: 'fbgemm-avx2' }, 'fbgemm-avx2'],
  [{ flow: 'pt2e-lowered', kernel: 'numpy' }, 'numpy'],
  // what older releases do otherwise is each layer's own form, under the same name
  [{ framework: 'ai-edge-litert', frameworkVersion: '2.3.0', kernel: 'tflite-reference' }, 'tflite-reference'],
  [{ framework: 'ai-edge-litert', frameworkVersion: '1.2.0', kernel: 'tflite-reference' }, 'tflite-reference'],
  [{ framework: 'ai-edge-litert', frameworkVersion: '1.2.0', kernel: 'tflite-builtin' }, 'tflite-builtin'],
  [{ framework: 'tflite-runtime', frameworkVersion: '2.14.0', kernel: 'tflite-reference' }, 'tflite-reference'],
  [{ framework: 'tensorflow', frameworkVersion: '2.21.0', kernel: 'tflite-reference' }, 'tflite-reference'],
])('%o declares %s', (producer, name) => expect(declaredKernel(producer).name).toBe(name));

it('refuses a producer.kernel that does not exist', () => {
  expect(() => declaredKernel({ kernel: 'nope' })).toThrow(/^producer\.kernel: expected a kernel's name, got "nope"/);
});
