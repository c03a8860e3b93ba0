import { describe, expect, test } from 'vitest';
import { inOrder } from '../../src/diagnose/finding/causesInOrder.js';
import type { CauseCode, CauseEvidence, Evidence, Formula } from '../../src/diagnose/finding/evidence.js';
import {
  actsOnSteps,
  CAUSE_WORDS,
  candidateCode,
  candidateFix,
  causeTitles,
  codeFor,
  confirmation,
  evidenceSentences,
  explainedBySentence,
  explanations,
  fixFor,
  headline,
  headlines,
  imitation,
  indistinguishableSentences,
  kernelOrigin,
  reasons,
} from '../../src/diagnose/finding/sentences.js';
import type { FixContext } from '../../src/diagnose/words/causeWords.js';
import { saturationWays } from '../../src/diagnose/words/saturation.js';
import { hasNumpy, outputOf } from '../support/tools.js';

const codes = [...CAUSE_WORDS.keys()] as CauseCode[];
const at = { sample: 17, channel: 3 };

function context(change: Partial<FixContext> = {}): FixContext {
  return {
    layer: 'fc2',
    op: 'linear',
    subject: 'candidate',
    framework: 'PyTorch',
    declaredKernel: 'fbgemm',
    foundKernel: null,
    explainedBy: [],
    evidence: {},
    producer: {},
    dynamic: false,
    quantizes: false,
    ...change,
  };
}

/** Evidence of each cause as a diagnosis may bring it, and whose departure it is; `kernel` is the found one. */
const rows: { [C in CauseCode]: [subject: FixContext['subject'], kernel: string | null, evidence: CauseEvidence[C]] } =
  {
    'int16-saturation': [
      'capture',
      'fbgemm-avx2',
      {
        pair: { sample: 0, channel: 0, k: [2, 3], x: [159, 143], w: [-128, -128], sum: -38656, saturated: -32768 },
        saturating_pairs: 970,
        total_pairs: 4832,
        mismatched_with_pair: 963,
        activations_above_127: 324,
      },
    ],
    'activation-range': [
      'candidate',
      'numpy',
      {
        declared: { codes: [0, 127], grain: 'batch' },
        found: { codes: [0, 255], grain: 'row' },
        reduce_range: true,
        sample: 0,
        min: -3.2,
        max: 3.5,
        declared_params: { scale: 0.0525, zero_point: 60 },
        found_params: { scale: 0.0262, zero_point: 120 },
      },
    ],
    'bias-int32': [
      'candidate',
      'numpy',
      {
        bias: 'int32',
        max_rounding_error_steps: 0.0015125,
        channel: 9,
        deciding: { ...at, declared: 11, observed: 12, before_rounding: 11.4998, before_rounding_found: 11.5003 },
      },
    ],
    'table-entry': ['capture', 'tflm', { declared: 'a table of 256', found: 'int32 fixed point' }],
    'state-between-calls': [
      'candidate',
      'tflm',
      { declared: 'what a call leaves is kept for the next', found: 'each call begins anew', state: 'anew' },
    ],
    'run-settings': ['capture', 'ort', { declared: '1 thread', found: '2 threads', samples: 3 }],
    'resample-grid': ['capture', 'xnnpack', { declared: 'positions in 1/1024', found: 'float32 positions' }],
    'kernel-defect': ['capture', 'tflite-reference', { declared: 'sums of codes', found: 'sums of bytes' }],
    'steps-fused': [
      'candidate',
      'xnnpack',
      { declared: 'computes conv2d, dequantize, relu6, quantize', found: 'computes conv2d with relu6' },
    ],
    'operand-wrong': [
      'candidate',
      'fbgemm',
      {
        inputs: [1],
        declared: ['skip'],
        found: ['conv1'],
        deciding: { ...at, declared: 131, observed: 96 },
        or: [{ inputs: [1], declared: ['skip'], found: ['relu1'] }],
      },
    ],
    'axis-wrong': [
      'candidate',
      'fbgemm',
      { inputs: [1], declared: '[24, 1, 1]', found: '[1, 24, 1]', deciding: { ...at, declared: 131, observed: 96 } },
    ],
    'output-order': [
      'candidate',
      null,
      {
        order: 'channels first, [8, 6, 6], where the file has them last, [6, 6, 8]',
        numpy: 'y = y.reshape(-1, 8, 6, 6).transpose(0, 2, 3, 1).reshape(y.shape)',
        dims: [6, 6, 8],
        channel_axis: 2,
      },
    ],
    'memory-reused': ['capture', 'tflite-builtin', { over: [{ layer: 'dense', distance: -64 }], left: 2 }],
    'multiplier-precision': [
      'candidate',
      'numpy',
      {
        declared: 'f32(f32(sx*sw)/sy)',
        found: 'sx*sw/sy in float64',
        deciding: { ...at, declared: 131, observed: 130, before_rounding: 2.5000001, before_rounding_found: 2.4999999 },
      },
    ],
    'fixed-point-multiplier': [
      'candidate',
      'tflite-double',
      { rounding: 'double', multiplier: 1431655765, shift: -8, channel: 2 },
    ],
    'rounding-half-away': [
      'candidate',
      null,
      {
        deciding: { ...at, declared: 130, observed: 131, before_rounding: 2.5, to_even: true, zero_point: 128 },
        ties: 12,
      },
    ],
    'rounding-half-up': [
      'candidate',
      null,
      { deciding: { ...at, declared: 2, observed: 3, before_rounding: 2.5, to_even: true }, ties: 1 },
    ],
    'rounding-truncate': ['candidate', null, { deciding: { ...at, declared: 3, observed: 2, before_rounding: 2.75 } }],
    'rounding-floor': ['candidate', null, { deciding: { ...at, declared: -2, observed: -3, before_rounding: -2.25 } }],
    'rounding-ceil': ['candidate', null, { deciding: { ...at, declared: 2, observed: 3, before_rounding: 2.25 } }],
    'zero-point-before-rounding': [
      'candidate',
      null,
      {
        deciding: { ...at, declared: 5, observed: 6, before_rounding: 2.5, to_even: true, zero_point: 3 },
        order: 'before',
      },
    ],
    'rescale-missing': [
      'candidate',
      null,
      { inputs: [1], left: 'scale', deciding: { sample: 0, channel: 3, declared: 80, observed: 91 } },
    ],
    'pool-rounding': [
      'candidate',
      null,
      { rule: 'trunc(v)', deciding: { sample: 0, channel: 0, declared: 131, observed: 130 } },
    ],
    'pool-divisor': [
      'candidate',
      null,
      { rule: 'values inside the image', deciding: { sample: 2, channel: 1, declared: 90, observed: 97 } },
    ],
    'relu-at-zero': ['candidate', null, { zero_point: 128, between: 40 }],
    'half-precision': ['candidate', null, { format: 'float16', equation: 'rint(h(y / s)) + zp' }],
    'activation-function': ['candidate', null, { function: 'leaky_relu of 0.125', again: 'down' }],
    'rounding-twice': [
      'candidate',
      null,
      {
        bits: 8,
        of: 'step',
        rule: 'to nearest',
        unit: 2 ** -8,
        added: { value: 2 ** -9, to: 'all', interval: [0.00192, 0.00197] },
        deciding: { ...at, declared: 130, observed: 131, before_rounding: 2.4990234375 },
        way: [2.4990234375, 2.5, 3],
      },
    ],
    'scaled-sum-wraps': [
      'candidate',
      null,
      { first: { ...at, sum: 48565, k: 51534, product: '2502748710', kept: -1792218586 }, wrapped: 1041 },
    ],
    'threshold-rule': ['candidate', null, { rule: 'greater', deciding: { ...at, declared: 19, observed: 18 } }],
    'relu-before-bias': ['candidate', null, { negative: 410 }],
    'capture-before-relu': ['model', null, { zero_point: 128, below_zero_point: 800 }],
    'capture-after-relu': ['model', null, { zero_point: 128, at_zero_point: 900, replayed_below: 890 }],
    'activation-zero-point-missing': ['candidate', null, { zero_point: 128 }],
    'weight-zero-point-missing': ['candidate', null, { zero_point: -3, channel: 1 }],
    signedness: ['candidate', null, { of: 'activation', declared: 'uint8', read_as: 'int8', off_by: 256 }],
    'weight-transposed': ['model', null, { shape: [64, 64] }],
    'scale-per-tensor': ['candidate', null, { used: 0.004064298, which: 'max', channel: 8 }],
    'scale-shifted': ['candidate', null, { shift: 1 }],
    'weight-scale-wrong': ['model', null, { found: [{ channel: 3, declared: 0.0038, found: 0.0042 }], omitted: 2 }],
    'input-scale-wrong': ['model', null, { declared: 0.0217786, found: 0.0221234, same_as: 'fc1' }],
    'input-zero-point-wrong': ['candidate', null, { declared: 122, found: 128 }],
    'output-scale-wrong': ['model', null, { declared: 0.0217786, found: 0.0221234, interval: [0.02212, 0.02213] }],
    'output-zero-point-wrong': ['model', null, { declared: 0, found: 5 }],
    'bias-missing': ['candidate', null, { max_bias_steps: 49.25, channel: 5 }],
    'bias-unscaled': ['candidate', null, { channel: 3, bias: 0.5766, steps_declared: 26.475, steps_found: 0.0018 }],
    'bias-shifted': ['candidate', null, { permutation: [0, 2, 1, 3, 5, 4] }],
    'k-order': ['candidate', null, { of: 'weights', order: 'kernel flipped' }],
    'padding-value': ['candidate', null, { declared: 117, found: 0, border_values: 40, inside_values: 0 }],
    'padding-place': [
      'model',
      null,
      {
        declared: [
          [1, 1],
          [1, 1],
        ],
        found: [
          [0, 2],
          [1, 1],
        ],
        border_values: 60,
        inside_values: 12,
      },
    ],
    'groups-wrong': ['candidate', null, { groups: 8, found: 'outputs in turns' }],
    'dilation-wrong': ['model', null, { declared: [2, 2], found: [1, 1], padding: [[1, 1]] }],
    'packing-borrow': [
      'candidate',
      null,
      {
        by: 'channels',
        apart: 1,
        upper: 'second',
        products: 7,
        codes: 'x',
        lowered: 1050,
        first: { ...at, sum: -6686, by: 3 },
      },
    ],
    'accumulator-not-cleared': [
      'candidate',
      null,
      { carry: 'sums', between: 'columns', changed: 1050, first: { ...at, sum: -6686, carried: 2196 } },
    ],
    'stride-wrong': ['candidate', null, { declared: [2, 2], found: [2, 1] }],
    'kernel-size-wrong': ['candidate', null, { declared: [3, 3], found: [2, 3] }],
    'pool-function': ['candidate', null, { found: 'maximum', declared: 'mean' }],
    'pool-maximum': ['candidate', null, { declared: -128, found: 0, raised: 84 }],
    'weight-value': [
      'model',
      null,
      {
        weights: [
          { channel: 3, k: 7, declared: -3, found: 5 },
          { channel: 3, k: 9, declared: -128, found: 0 },
        ],
      },
    ],
    'accumulator-wraps': [
      'candidate',
      null,
      { bits: 16, overflow: 'wrap', of: 'raw', overflowed: 21, first: { ...at, exact: 40000, overflowed: -25536 } },
    ],
    'input-wraps': ['candidate', null, { dtype: 'uint8', inputs: [0, 1], zero_point: 67, code: 0, becomes: 189 }],
    'low-bits-lost': ['candidate', null, { of: 'input', bits: 2, inputs: [1], less_zero_point: true }],
    'input-clamped': ['candidate', null, { declared: [0, 255], least: 118, as: ['relu', 'relu6'] }],
    'samples-misaligned': ['candidate', null, { shift: -1, moved: 151 }],
    'clamp-range': ['candidate', null, { declared: [0, 255], found: [0, 127], clamped: 31 }],
    'constant-values': ['candidate', null, { value: 120, is: 'zero-point' }],
    'clamp-missing': ['candidate', null, { range: [0, 255], outside: 120, first: { ...at, stored: 353 } }],
    'output-wraps': ['candidate', null, { dtype: 'uint8', wrapped: 120, first: { ...at, unclamped: 353, stored: 97 } }],
    'multiplier-short': [
      'candidate',
      null,
      {
        bits: 8,
        per_channel: true,
        k: 149,
        n: 16,
        channel: 0,
        multiplier: 0.00227625434,
        relative_error: -0.001183861,
      },
    ],
    'scale-rounded': [
      'candidate',
      null,
      { of: ['input', 'weight', 'output'], digits: 4, kind: 'decimals', before: 0.003137255, after: 0.0031 },
    ],
    'bias-factor': ['model', null, { factor: 2, equals: '2', interval: [1.99955, 2.00072] }],
    'bias-value': [
      'model',
      null,
      { found: [{ channel: 3, declared: 0.5, found: 0.81, interval: [0.808, 0.812] }], omitted: 0 },
    ],
    'product-rounded': ['candidate', null, { bits: 5, rule: 'down', mean_loss: 15.5 }],
    'accumulator-float32': ['candidate', null, { beyond: 96, first: { ...at, exact: 25301133, rounded: 25301132 } }],
    'float-arithmetic': ['candidate', null, { steps: 1, within_bound: 31, of: 4000 }],
    fma: ['candidate', null, { fused: false, deciding: { ...at, declared: 131, observed: 130 } }],
    inherited: ['candidate', null, { from: 'fc1' }],
    unexplained: [
      'capture',
      null,
      {
        nearest: { causes: ['int16-saturation', 'bias-int32'], kernel: 'fbgemm-avx2', explained: 30, of: 41, lost: 2 },
        hypotheses: 912,
        out_of_time: true,
      },
    ],
  };

test('all that is said about each cause, verbatim', async () => {
  const paragraphs = codes.map((cause) => {
    const [subject, foundKernel, own] = rows[cause];
    const finding = context({ subject, foundKernel, evidence: { [cause]: own } });
    return [
      cause,
      `  ${headline(finding, [cause])}`,
      ...explanations([cause]).map((line) => `  because   ${line}`),
      ...evidenceSentences(finding, [cause]).map((line) => `  evidence  ${line}`),
      `  fix       ${fixFor([cause], finding)}`,
      ...codeFor([cause], finding).map(({ where, text }) => `  paste     ${where}: ${text}`),
    ].join('\n');
  });
  await expect(`${paragraphs.join('\n\n')}\n`).toMatchFileSnapshot(new URL('sentences.txt', import.meta.url).pathname);
});

/** What a candidate mends by no line: another point to write at, rows that are missing, a runtime's own form, more than one number. */
const WITHOUT_LINES = [
  ...[
    'activation-range',
    'table-entry',
    'resample-grid',
    'kernel-defect',
    'state-between-calls',
    'run-settings',
    'capture-after-relu',
    'constant-values',
  ],
  ...['memory-reused', 'operand-wrong', 'axis-wrong'],
  ...['fixed-point-multiplier', 'multiplier-precision', 'multiplier-short'], // by their formulas: below
];

test.each(codes.filter((cause) => fixFor([cause], context()) !== null && !WITHOUT_LINES.includes(cause)))(
  'what a candidate does about %s can be pasted',
  (cause) => {
    const [, , own] = rows[cause];
    expect(codeFor([cause], context({ evidence: { [cause]: own } }))).not.toEqual([]);
  },
);

test('lines of JSON are JSON, lines of numpy are Python, and a name from a file ends none', () => {
  const all = codes.flatMap((cause) => {
    const [, foundKernel, own] = rows[cause];
    return (['capture', 'model', 'candidate'] as const).flatMap((subject) =>
      codeFor([cause], context({ subject, foundKernel, layer: 'a"\n', evidence: { [cause]: own } })),
    );
  });
  const of = (language: string) => all.filter((line) => line.language === language).map(({ text }) => text);
  for (const text of of('json')) expect(() => JSON.parse(text.startsWith('"') ? `{${text}}` : text)).not.toThrow();
  expect(all.filter(({ where, text }) => /[\n\r]/.test(where + text))).toEqual([]);
  if (!hasNumpy) return;
  const check = 'import ast, json, sys\nfor line in json.loads(sys.argv[1]): ast.parse(line)';
  outputOf('python3', ['-c', check, JSON.stringify(of('python'))]);
});

describe.each(['capture', 'model', 'candidate'] as const)('%s', (subject) => {
  test.each(codes)('%s without evidence leaves no hole in a sentence', (cause) => {
    const finding = context({ subject, evidence: {} });
    const said = [
      headline(finding, [cause]),
      ...explanations([cause]),
      ...evidenceSentences(finding, [cause]),
      fixFor([cause], finding) ?? '',
    ];
    expect(said.join('\n')).not.toMatch(/undefined|null|NaN|\[object| \(\)| {2}/);
    expect(headline(finding, [cause])).toMatch(/^(PyTorch|Model file|Yours|Replay): ./);
  });
});

const saturation: [what: string, change: Partial<FixContext>, includes: string, lacks: string][] = [
  ['eager x86', { foundKernel: 'fbgemm-avx2' }, 'reduce_range=True (0..127, the default of the x86', 'inductor'],
  ['eager onednn', { foundKernel: 'onednn-avx2', declaredKernel: 'onednn' }, 'default onednn qconfig does not', 'x86'],
  [
    'PT2E',
    { foundKernel: 'onednn-pointwise-avx2' },
    'get_default_x86_inductor_quantization_config(reduce_range=True)',
    'observers',
  ],
  ['dynamic', { foundKernel: 'fbgemm-avx2', op: 'linear_dynamic', dynamic: true }, 'reduce_range=True', 'observers'],
  ['own code', { subject: 'candidate' }, 'pmaddwd', 'ONNX'],
  ['ONNX Runtime', { framework: 'ONNX Runtime', foundKernel: 'ort-avx2' }, 'quantize_static(', 'observers'],
  ['any other', { framework: 'rknn', foundKernel: 'ort-avx2' }, 'in 0..127', 'observers'],
  ['signed codes', { foundKernel: 'onednn-avx2', signed: true }, '-64..63', 'reduce_range'],
  ['OpenVINO', { framework: 'OpenVINO', foundKernel: 'onednn-avx2' }, 'OverflowFix.ENABLE', 'observers'],
];

test.each(saturation)('the fix of saturation knows %s', (_, change, includes, lacks) => {
  const fix = fixFor(['int16-saturation'], context({ subject: 'capture', ...change }));
  expect(fix).toContain(includes);
  expect(fix).not.toContain(lacks);
});

test('torchao is sent to no other CPU: without VNNI PyTorch adds by itself', () => {
  const [, exactSums] = saturationWays(context({ foundKernel: 'torchao-avx2', producer: { flow: 'torchao' } }));
  expect(exactSums.text).toContain('leave ONEDNN_MAX_CPU_ISA unset');
  expect(exactSums.text).not.toContain('run on');
  expect(exactSums.code.map(({ text }) => text)).toEqual(['unset ONEDNN_MAX_CPU_ISA']);
});

test('a capture of another kernel than declared: name it, where it is known', () => {
  const finding = { subject: 'capture', explainedBy: ['qnnpack', 'ort'] } as const;
  expect(fixFor(['bias-int32'], context({ ...finding, foundKernel: 'qnnpack' }))).toBe(
    'PyTorch computes as qnnpack does, not fbgemm: write "kernel": "qnnpack" into the producer of model.json, or pass --kernel qnnpack',
  );
  expect(fixFor(['bias-int32'], context({ subject: 'capture' }))).toBeNull();
});

test("another framework's kernel is never the fix", () => {
  const finding = { subject: 'capture', framework: 'LiteRT', declaredKernel: 'tflite-double' } as const;
  const explainedBy = ['fbgemm', 'onednn', 'xnnpack'];
  expect(fixFor(['multiplier-precision'], context({ ...finding, explainedBy, foundKernel: 'xnnpack' }))).toContain(
    'LiteRT computes as xnnpack does, not tflite-double: write "kernel": "xnnpack"',
  );
  expect(
    fixFor(['multiplier-precision'], context({ ...finding, explainedBy: ['fbgemm'], foundKernel: 'fbgemm' })),
  ).toBeNull();
});

test('quantize rounds by the release', () => {
  const quantize = {
    subject: 'capture',
    op: 'quantize',
    quantizes: true,
    producer: { frameworkVersion: '2.13.0+cpu' },
  } as const;
  expect(fixFor(['zero-point-before-rounding'], context(quantize))).toContain('(this capture: 2.13.0+cpu)');
});

test('two causes have two fixes, and the same fix is said once', () => {
  const both = fixFor(['rounding-floor', 'bias-missing'], context());
  expect(both).toContain('. Also: add the bias');
  const finding = context({ subject: 'capture', foundKernel: 'qnnpack' });
  expect(fixFor(['bias-int32', 'multiplier-precision'], finding)).not.toContain('Also');
});

describe('headline', () => {
  const saturates = (change: Partial<FixContext>) =>
    headline(context({ foundKernel: 'fbgemm-avx2', ...change }), ['int16-saturation']);

  test('one library is named, several only as consistent, others by the names of their kernels', () => {
    expect(saturates({ subject: 'capture' })).toBe('PyTorch: int16 saturation (FBGEMM on a CPU without VNNI)');
    expect(saturates({ subject: 'capture', explainedBy: ['fbgemm-avx2', 'onednn-avx2'] })).toBe(
      'PyTorch: int16 saturation (consistent with FBGEMM on a CPU without VNNI)',
    );
    expect(saturates({ subject: 'capture', framework: 'rknn' })).toBe(
      'rknn: int16 saturation (consistent with fbgemm-avx2)',
    );
    expect(saturates({})).toBe('Yours: int16 saturation (consistent with fbgemm-avx2)');
    const widths = ['onednn-avx512', 'onednn-avx2', 'onednn-sse41'];
    const oneDnn = (explainedBy: string[]) =>
      saturates({ subject: 'capture', foundKernel: 'onednn-avx512', explainedBy });
    expect(oneDnn(widths)).toBe('PyTorch: int16 saturation (consistent with oneDNN on a CPU without VNNI)');
    expect(oneDnn(['onednn-avx512'])).toBe('PyTorch: int16 saturation (oneDNN on a CPU with AVX512 and no VNNI)');
  });

  test("the kernel that was asked for comes first where it is not the capture's own", () => {
    const like = (declaredKernel: string) =>
      headline(
        context({ framework: 'pytorch', declaredKernel, explainedBy: ['numpy', 'fbgemm', 'tflite-single'] }),
        [],
      );
    expect(like('tflite-single')).toBe('Yours: exact accumulation, consistent with tflite-single, numpy, fbgemm');
    expect(like('fbgemm')).toBe('Yours: exact accumulation, consistent with numpy, fbgemm, tflite-single');
  });

  test("what only came with the input is nobody else's", () => {
    const evidence = { inherited: { from: 'fc1' } };
    expect(headline(context({ subject: 'capture', evidence }), ['inherited'])).toBe('Replay: inherited from fc1');
    expect(headline(context({ evidence }), ['inherited'])).toBe('Yours: inherited from fc1');
  });

  test.each([
    [['numpy'], 'Yours: exact accumulation, consistent with numpy'],
    [['fbgemm', 'numpy', 'ort'], 'Yours: exact accumulation, consistent with numpy, fbgemm, ort'],
    [['fbgemm-avx2', 'ort-avx2'], 'Yours: int16-saturating accumulation, consistent with fbgemm-avx2, ort-avx2'],
    [['fbgemm', 'fbgemm-avx2'], 'Yours: consistent with fbgemm, fbgemm-avx2'],
    [[], 'Yours: as declared'],
  ])('without a cause no more is claimed than what all of %j share', (explainedBy, expected) => {
    expect(headline(context({ explainedBy }), [])).toBe(expected);
  });

  test.each(['cat', 'relu', 'add'])('no sums of products are told of %s', (op) => {
    expect(headline(context({ op, explainedBy: ['fbgemm'] }), [])).toBe('Yours: consistent with fbgemm');
  });
});

test('what reduce_range cannot help is said, and what rests on little', () => {
  const said = (causes: CauseCode[], evidence: Evidence) => evidenceSentences(context({ evidence }), causes).join('\n');
  expect(said(['bias-int32'], { basis: { saturating_pairs: 0 } })).toContain('reduce_range will not help');
  expect(said(['bias-int32'], { basis: { saturating_pairs: 1 } })).toBe('');
  expect(said(['rounding-floor'], { basis: { samples: 7 } })).toBe(
    'this rests on 7 samples only: more would make it safer',
  );
  expect(said(['rounding-floor'], { basis: { samples: 8 } })).toBe('');
  expect(said(['output-scale-wrong'], { basis: { samples: 39 } })).toContain('39 samples only');
  expect(said(['output-scale-wrong'], { basis: { samples: 40 } })).toBe('');
  expect(said(['output-scale-wrong'], { basis: { samples: 4, places: 36 } })).toContain('4 samples only');
  expect(said(['output-scale-wrong'], { basis: { samples: 4, places: 100 } })).toBe('');
});

test('many kernels are counted', () => {
  expect(explainedBySentence(['a', 'b', 'c', 'd', 'e', 'f', 'g', 'h', 'i', 'j'])).toBe(
    'consistent with a, b, c, d, e, f, g, h and 2 more',
  );
  expect(explainedBySentence([])).toBeNull();
});

test('nine digits never pretend a tie', () => {
  const deciding = { ...at, declared: 2, observed: 3, before_rounding: 2.4999999999 };
  const [sentence] = evidenceSentences(context({ evidence: { 'rounding-half-up': { deciding } } }), [
    'rounding-half-up',
  ]);
  expect(sentence).toBe('sample 17, channel 3: 2.4999999999 rounds to 2, yours has 3');
});

test('what becomes a code with its zero point alone is said with it: by itself -16.5000019 is no -16', () => {
  const value = { ...at, declared: 114, observed: 113, zero_point: 130, before_rounding: -16.500001907348633 };
  const evidence = { 'zero-point-before-rounding': { zero_point: 130, order: 'after' as const, deciding: value } };
  expect(evidenceSentences(context({ evidence }), ['zero-point-before-rounding'])).toEqual([
    'sample 17, channel 3: -16.5000019 with zero point 130 is 113.5, which becomes 114, yours has 113',
  ]);
});

test('an interval that does not hold the number that was found is not said', () => {
  const said = (interval: [number, number]) =>
    evidenceSentences(context({ evidence: { 'output-scale-wrong': { declared: 0.5, found: 0.25, interval } } }), [
      'output-scale-wrong',
    ]).join();
  expect(said([0.2, 0.3])).toContain('anything in 0.2 .. 0.3 fits');
  expect(said([0.3, 0.4])).not.toContain('fits');
});

test('where to see it on the spot: only for saturating captures of PyTorch', () => {
  const finding = context({ subject: 'capture', foundKernel: 'onednn-avx2' });
  expect(confirmation(finding, ['int16-saturation'])).toMatch(/^ONEDNN_MAX_CPU_ISA=AVX2 /);
  expect(confirmation(finding, ['bias-int32'])).toBeNull();
  expect(confirmation({ ...finding, subject: 'candidate' }, ['int16-saturation'])).toBeNull();
});

const formula = (change: Partial<Formula> = {}): Formula => ({
  channel: 3,
  sums: { step: 'exact', equation: 'sum of (x - zx) * (w - zw)' },
  bias: { step: 'floatBias', equation: 'f32(acc) + b', rounded: false },
  multiplier: { step: 'float32Product', equation: 'f32(acc) * f32(m)', arithmetic: 'float32', value: 0.000950312 },
  rounding: { step: 'halfEven', equation: 'rint(v)' },
  zero_point: 'after',
  ...change,
});

const fixedPoint = formula({
  multiplier: {
    step: 'fixedPointSingleRounding',
    equation: 'roundHalfUp(acc * m / 2^(31 - shift))',
    arithmetic: 'fixed-point',
    value: 0.000950312,
    int32: 2090146478,
    shift: -10,
    rounding: 'single',
  },
  rounding: null,
});

describe('how a side can follow the other', () => {
  const of = (found: Formula, declared: Formula, tells: string[]) =>
    context({ evidence: { basis: { formula: { found, declared, tells } } } });

  test('in the steps of the side to be met, with its numbers', () => {
    const finding = of(formula(), fixedPoint, ['multiplier-precision']);
    expect(candidateFix(['multiplier-precision'], finding)).toBe(
      'multiply by an int32, rounding once, half up: (acc * m + (1 << (s - 1))) >> s with s = 41 (m = 2090146478, shift -10 for channel 3)',
    );
    expect(candidateCode(['multiplier-precision'], finding).map(({ text }) => text)).toEqual([
      'q = (acc.astype(np.int64) * 2090146478 + (1 << 40)) >> 41  # channel 3',
      'q = (int32_t)(((int64_t)acc * 2090146478 + (INT64_C(1) << 40)) >> 41);  /* channel 3 */',
      "q = (acc * 64'sd2090146478 + (64'sd1 << 40)) >>> 41;  // signed acc, q [63:0]; channel 3",
    ]);
    expect(reasons(finding, ['multiplier-precision'], 'TFLite')).toEqual([
      'Yours multiplies by the float32 0.000950312 (channel 3): f32(acc) * f32(m), then rounds ties to even; TFLite by the int32 2090146478 * 2^-41 (channel 3), rounding once, half up',
    ]);
  });

  test('one number for every channel is said to be that', () => {
    const inAll = { ...fixedPoint, multiplier: { ...fixedPoint.multiplier, in_all: true as const } };
    const code = candidateCode(['multiplier-precision'], of(formula(), inAll, ['multiplier-precision']));
    expect(code.map(({ text }) => text).filter((text) => text.includes('every channel'))).toHaveLength(3);
  });

  test('no two sides are told by one equation, and a named bias is told beside any multiplier', () => {
    const other = formula({ multiplier: { ...formula().multiplier, step: 'float32ProductFused' } });
    const ties = 'which decides values next to a tie.';
    expect(reasons(of(other, formula(), ['multiplier-precision']), ['multiplier-precision'], 'TFLite')).toEqual([
      `(s_x * s_w) / s_y is computed in another float width or order, ${ties}`,
    ]);
    const rounded = { step: 'int32Bias', equation: 'rint(b / (sx * sw))', rounded: true };
    const finding = of(formula(), { ...fixedPoint, bias: rounded }, ['bias-int32']);
    expect(reasons(finding, ['bias-int32'], 'TFLite')[0]).toBe(
      'Yours adds the bias in float (f32(acc) + b); TFLite rounded to int32 (rint(b / (sx * sw)))',
    );
  });

  test('of two floats that look alike in six digits, how each comes about', () => {
    const equation = 'f32(f32(acc) * R(sx)) * sw';
    const ordered = { ...formula().multiplier, step: 'oneDnnConvolution', equation, value: 0.0009503121 };
    const finding = of(formula(), formula({ multiplier: ordered }), ['multiplier-precision']);
    expect(reasons(finding, ['multiplier-precision'], 'PyTorch')[0]).toBe(
      'Yours multiplies as float32 f32(acc) * f32(m); PyTorch as float32 f32(f32(acc) * R(sx)) * sw',
    );
    expect(candidateFix(['multiplier-precision'], finding)).toBe('multiply as float32 f32(f32(acc) * R(sx)) * sw');
  });

  test('from an integer to a float', () => {
    expect(candidateFix(['fixed-point-multiplier'], of(fixedPoint, formula(), ['fixed-point-multiplier']))).toBe(
      'multiply by the float32 number 0.000950312 (channel 3): f32(acc) * f32(m). Also: round ties to even: rint() or nearbyint() in C, np.rint in numpy',
    );
  });

  test('a shift without rounding lacks half of its unit', () => {
    const floored = formula({
      multiplier: { ...fixedPoint.multiplier, step: 'shifted', rounding: undefined },
      rounding: { step: 'downward', equation: 'floor(v)' },
    });
    expect(candidateFix(['rounding-floor'], of(floored, fixedPoint, ['rounding-floor']))).toMatch(
      /^add 1 << \(s - 1\) before the shift/,
    );
  });

  test('never towards what is not understood; both saturate: nothing to do there', () => {
    const pairs = formula({ sums: { step: 'pairs', equation: 'sum of sat16(x * w of two k)' } });
    const capture = (found: Formula) =>
      context({ subject: 'capture', evidence: { basis: { formula: { found, declared: formula(), tells: [] } } } });
    expect(imitation(capture(pairs), ['int16-saturation'])).toContain('clamp each pair to int16');
    expect(imitation(capture(pairs), ['unexplained'])).toBeNull();
    expect(imitation(capture(formula()), ['weight-value'])).toBeNull();
    const both = context({
      evidence: { basis: { formula: { found: pairs, declared: formula(), met: pairs, tells: [] } } },
    });
    expect(candidateFix(['int16-saturation'], both)).toBeNull();
  });

  test('of what gives all values and is not named it is not said that nothing gives them', () => {
    const nearest = { causes: ['bias-int32'], kernel: null, explained: 2, of: 2, lost: 0 };
    const said = (subject: 'capture' | 'candidate', own: object) => {
      const finding = context({
        subject,
        foundKernel: null,
        evidence: { unexplained: { nearest: { ...nearest, ...own } } },
      });
      return [...reasons(finding, ['unexplained'], 'the replay'), ...evidenceSentences(finding, ['unexplained'])];
    };
    expect(said('candidate', {})).toEqual([
      expect.stringMatching(
        /^These values do not tell which of the causes that give them all it is; .* More samples may tell\.$/,
      ),
      'one of them: bias rounded to int32 gives all 2 that differ on the input it read',
    ]);
    expect(said('capture', {})[1]).toMatch(/gives all 2 that differ$/);
    for (const own of [{ lost: 1 }, { explained: 1 }]) expect(said('capture', own)[0]).toMatch(/^No known cause/);
    expect(said('capture', { explained: 1, of: 1 })[1]).toMatch(/gives the one that differs$/);
  });

  test('where the search was not finished it is not said that no known cause gives the values', () => {
    const said = (unexplained: object) => explanations(['unexplained'], { unexplained });
    expect(said({ hypotheses: 9 })).toEqual([expect.stringMatching(/^No known cause, alone or with another, gives/)]);
    for (const ended of ['out_of_time', 'cut_short'])
      expect(said({ hypotheses: 9, [ended]: true })).toEqual([
        'No cause that was tried gives all of these values, and the search was not finished; nothing is named rather than guessed.',
      ]);
    expect(said({ cut_short: true })).toEqual(['No cause was sought; nothing is named rather than guessed.']);
  });

  test('two sides have a line each, and most values come first', () => {
    const evidence = {
      'int16-saturation': { values: 3 },
      'weight-value': { weights: [{ channel: 1, k: 2, declared: 3, found: 4 }], values: 72 },
      basis: { of_capture: ['int16-saturation'] },
    } as const;
    const finding = context({ subject: 'model', evidence });
    expect(inOrder(['int16-saturation', 'weight-value'], evidence)).toEqual(['weight-value', 'int16-saturation']);
    expect(headlines(finding, ['int16-saturation', 'weight-value'])).toEqual([
      'PyTorch: int16 saturation (3 values)',
      'Model file: one weight differs (72 values)',
    ]);
  });
});

test('other sets that explain as much', () => {
  expect(indistinguishableSentences(context({}), [{ causes: ['rounding-half-up'], kernel: 'tflite-single' }])).toEqual([
    'cannot be told apart from: ties rounded up (tflite-single)',
  ]);
});

test('weights beside the declared codes are floats quantized by another rule, where a file holds floats', () => {
  const evidence = {
    'weight-value': { weights: [{ channel: 4, k: 7, declared: -127, found: -128 }], values: 9 },
  } as const;
  const own = context({ subject: 'candidate', evidence, producer: { framework: 'onnxruntime', file: 'onnx' } });
  expect(explanations(['weight-value'], evidence)).toEqual([expect.stringMatching(/by another rule at a tie/)]);
  expect(fixFor(['weight-value'], own)).toMatch(/QuantizeLinear divides by the scale .*multiplies by 1 \/ scale/);
  const far = { 'weight-value': { weights: [{ channel: 4, k: 7, declared: -127, found: -119 }], values: 9 } } as const;
  expect(explanations(['weight-value'], far)).toEqual([expect.stringMatching(/a stale file, or flipped bits/)]);
  expect(fixFor(['weight-value'], context({ ...own, evidence: far }))).toMatch(/stale or damaged copy/);
});

test('padding of a transposed convolution lies between its inputs too, and memory beside rows is read by its address', () => {
  const padded = (found: object) => ({ 'padding-value': { declared: 116, found: 0, ...found } }) as Evidence;
  const titled = (found: object) => causeTitles(['padding-value'], padded(found));
  expect(titled({ where: 'both' })).toBe('gaps between inputs and padding hold 0, not the zero point');
  expect(titled({ where: 'gaps' })).toBe('gaps between inputs hold 0, not the zero point');
  expect(titled({ where: 'edges' })).toBe('padding at the edges holds 0, not the zero point');
  const fixed = (found: object) => fixFor(['padding-value'], context({ evidence: padded(found) }));
  expect(fixed({ found: 'rows beside', beyond: 0 })).toMatch(/^check the column before memory is read.* with 116/);
  expect(fixed({ where: 'both' })).toMatch(/^fill the gaps between the inputs, and the padding, of .* with 116/);
});

test('names from files are escaped, unknown codes and kernels are themselves', () => {
  const hostile = context({ layer: 'a\u001b[2J', subject: 'model' });
  expect(fixFor(['weight-value'], hostile)).toContain('export a\\x1b[2J again');
  expect(headline(hostile, ['__proto__'])).toBe('Model file: __proto__');
  expect(fixFor(['constructor'], hostile)).toBeNull();
  expect(kernelOrigin('toString')).toBe('toString');
});

test('findings of a step are shared by layers, wrong numbers are not', () => {
  expect(actsOnSteps(['int16-saturation', 'rounding-floor'])).toBe(true);
  expect(actsOnSteps(['int16-saturation', 'weight-value'])).toBe(false);
});

test("a dynamic layer's bias is added to reals", () => {
  const evidence = { 'bias-missing': rows['bias-missing'][2] };
  const lines = codeFor(['bias-missing'], context({ evidence, dynamic: true })).map(({ text }) => text);
  expect(lines[0]).toBe('y = acc * (x_scale * w_scale) + bias');
});

test('lines of Verilog take signed codes as they are', () => {
  const evidence = { 'activation-zero-point-missing': rows['activation-zero-point-missing'][2] };
  const lines = (signed: boolean) =>
    codeFor(['activation-zero-point-missing'], context({ evidence, signed })).filter((line) => line.where === 'RTL');
  expect(
    lines(false)
      .map(({ text }) => text)
      .join(),
  ).toContain("$signed({1'b0, x})");
  expect(
    lines(true)
      .map(({ text }) => text)
      .join(),
  ).toMatch(/\$signed\(x\).*int8 x/);
});

test('what is wrong in a file is corrected in that file, and an .onnx has no lines of model.json', () => {
  for (const cause of codes) {
    const [, foundKernel, own] = rows[cause];
    for (const subject of ['capture', 'model'] as const) {
      const finding = context({ subject, foundKernel, evidence: { [cause]: own }, producer: { file: 'onnx' } });
      expect(fixFor([cause], finding) ?? '').not.toContain('model.json');
      expect(codeFor([cause], finding).filter(({ language }) => language === 'json')).toEqual([]);
    }
  }
  const wrong = { 'input-scale-wrong': { declared: 0.1, found: 0.2 } };
  const [line] = codeFor(['input-scale-wrong'], context({ subject: 'model', evidence: wrong, reads: ['quant'] }));
  expect(line).toEqual({ where: 'model.json, quant', language: 'json', text: '"scale": 0.2' });
});
