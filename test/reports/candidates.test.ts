/** Reports from the public about candidates and words: fixtures/reports and fixtures/coverage say what each is. */
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { DiagnosisReport, Report } from '../../src/nouns/report.js';
import { cli } from '../support/cli.js';

const qdiff = cli();
const DIGITS = 'fixtures/pytorch/digits-vnni';
const reported = (report: string, ...names: string[]) => names.map((name) => join('fixtures/reports', report, name));

async function json(...argv: string[]): Promise<Report & { exitCode: number }> {
  const { stdout, exitCode } = await qdiff([...argv, '--reporter', 'json']);
  return { ...JSON.parse(stdout), exitCode };
}

async function text(...argv: string[]): Promise<string> {
  return (await qdiff(argv)).stdout.replaceAll(/\s+/g, ' ');
}

function diagnosisOf(report: Report, layer: string): DiagnosisReport {
  return (report.candidate_layers ?? report.layers).find(({ name }) => name === layer)!.diagnosis!;
}

/** Of every value, and the fix that is named makes both sides equal. */
const explainsAll = (of: number) => ({ explained: of, of, lost: 0 });

describe('two steps told against each other', () => {
  test('a float64 script against a TFLite reference is told to multiply by its integers', async () => {
    const [model, capture, candidate] = reported(
      'advice-under-fixed-point',
      'model.json',
      'capture.npz',
      'candidate.npz',
    );
    const report = await json(model, capture, '--candidate', candidate);
    const { fixes } = diagnosisOf(report, 'fc1');
    expect(diagnosisOf(report, 'fc1')).toMatchObject(explainsAll(5));
    expect(fixes[0]).toMatchObject({ subject: 'candidate', rehearsal: { mismatched_after_fix: 0 } });
    expect(fixes[0].text).toMatch(/int32, rounding twice.*m = 2090146478, shift -10/);
    const said = await text(model, capture, '--candidate', candidate);
    expect(said).toContain('TFLite multiplies by the int32 2090146478 * 2^-41 (channel 25), rounding twice');
    expect(said).toContain('Yours: rounded once, after an int32 or a float multiplier');
    expect(said).not.toMatch(/as tflite-double does|float multiplier \(s_x/);
  });

  test('a float32 kernel declared as fixed point: the side that multiplies by an integer is the declared one', async () => {
    const [model, capture] = reported('xnnpack-declared-double', 'model.json', 'capture.npz');
    const { causes, kernel, fix } = diagnosisOf(await json(model, capture), 'fc');
    expect({ causes, kernel }).toEqual({ causes: ['multiplier-precision'], kernel: 'xnnpack' });
    expect(fix).toContain('LiteRT computes as xnnpack does, not tflite-double: write "kernel": "xnnpack"');
    const said = await text(model, capture);
    expect(said).toMatch(
      /LiteRT multiplies by the float32 0\.0111111 .*; tflite-double, as declared, by the int32 1527099593 \* 2\^-37/,
    );
    expect(said).toContain('consistent with xnnpack, ');
    expect(said).not.toContain('FBGEMM');
  });

  test('of what no value tells nothing is said to be changed: neither a float nor its bias', async () => {
    const files = reported('padding-before', 'model.tflite', 'capture.npz', 'candidate.npz');
    const [model, capture, candidate] = files;
    const report = await json(model, capture, '--candidate', candidate);
    expect(diagnosisOf(report, 't2')).toMatchObject({ causes: ['padding-place'], ...explainsAll(474) });
    const said = await text(model, capture, '--candidate', candidate);
    expect(said).toMatch(/because The window begins .* Yours rounds once, after an int32 multiplier or a float one/);
    expect(said).not.toMatch(/round the bias to int32|multiplies by the float32/);
  });

  test('what came with the input is told where two values leave the rest open', async () => {
    const [model, ...files] = reported('inherited-and-open', 'model.tflite', 'capture.npz', 'candidate.npz');
    const report = await json(model, files[0], '--candidate', files[1]);
    expect(diagnosisOf(report, 't2')).toMatchObject({ causes: ['relu-at-zero'], ...explainsAll(541) });
    expect(diagnosisOf(report, 't5').causes).toEqual(['inherited']);
    const { causes, evidence, fix } = diagnosisOf(report, 't10');
    expect(causes).toEqual(['inherited', 'unexplained']);
    expect(evidence).toMatchObject({ inherited: { from: 't5', values: 36 } });
    expect(fix).toContain('correct t5 first');
  });

  test('a multiplier of few bits stands beside the scale that three values admit', async () => {
    const files = reported('three-values-differ', 'model.tflite', 'capture.npz', 'candidate.npz');
    const [model, capture, candidate] = files;
    const { causes, indistinguishable } = diagnosisOf(await json(model, capture, '--candidate', candidate), 't7');
    const all = [causes, ...indistinguishable.map((other) => other.causes)].map(([code]) => code);
    expect(all.toSorted()).toEqual([
      'input-scale-wrong',
      'multiplier-short',
      'output-scale-wrong',
      'weight-scale-wrong',
    ]);
  });

  test.each([
    ['only-floats-out', 'model.onnx', 'candidate.npz', 'y', 'accumulator-wraps', 'c', 30],
    ['inherited-and-open', 'model.tflite', 'candidate-last.npz', 't10', 'rounding-floor', 't2', 17],
  ])('%s: what all layers do is found by the last one alone', async (set, file, own, layer, cause, from, values) => {
    const [model, capture, candidate] = reported(set, file, 'capture.npz', own);
    const diagnosis = diagnosisOf(await json(model, capture, '--candidate', candidate), layer);
    expect(diagnosis).toMatchObject({ causes: [cause], ...explainsAll(values) });
    expect(diagnosis.evidence.basis).toMatchObject({ in: from, throughout: true });
  });

  test('a quotient in place of a reciprocal, where the zero point is 0', async () => {
    const [model, capture, candidate] = reported('quantize-divides', 'model.json', 'capture.npz', 'candidate.npz');
    const diagnosis = diagnosisOf(await json(model, capture, '--candidate', candidate), 'quant');
    expect(diagnosis).toMatchObject({ causes: ['multiplier-precision'], ...explainsAll(59) });
    expect(diagnosis.fixes[0].rehearsal).toEqual({ mismatched_after_fix: 0 });
  });
});

test('a tie is no float error where all scales are powers of two', async () => {
  const [model, capture, candidate, first] = reported(
    'tie-hidden-by-bound',
    ...['model.json', 'capture.npz', 'candidate.npz', 'candidate-conv1.npz'],
  );
  const alone = await json(model, capture, '--candidate', first);
  expect(alone).toMatchObject({ exitCode: 1, verdict: 'mismatch' });
  expect(alone.candidate_layers![0]).toMatchObject({ mismatched: 16, within_bound: 0 });
  expect(diagnosisOf(alone, 'conv1')).toMatchObject({ causes: ['rounding-half-up'], ...explainsAll(16) });
  const both = await json(model, capture, '--candidate', candidate);
  expect(diagnosisOf(both, 'fc').causes).toEqual(['inherited', 'rounding-half-up']);
});

describe('saturation of signed codes', () => {
  const [model, capture, candidate] = reported('s8-saturation', 'model.json', 'capture.npz', 'candidate.npz');

  test('speaks of what the kernel multiplies, and advises what helps', async () => {
    const report = await json(model, capture);
    const { causes, evidence, fixes } = diagnosisOf(report, 'mm');
    expect(causes).toEqual(['int16-saturation']);
    expect(evidence['int16-saturation']).toMatchObject({ code_shift: 128 });
    expect(fixes.map(({ rehearsal }) => rehearsal)).toEqual([{ mismatched_after_fix: 0 }, { mismatched_after_fix: 0 }]);
    expect(fixes[0].text).toContain('-64..63');
    // nor an engine, which torch._int_mm has none of
    expect(fixes.map((fix) => fix.text).join()).not.toMatch(/reduce_range|qnnpack/);
    expect(await text(model, capture)).toMatch(/\d+ input codes exceed 127 once the kernel has added 128/);
  });

  test('of a candidate that sums exactly, it is PyTorch that departs', async () => {
    const report = await json(model, capture, '--candidate', candidate);
    expect(diagnosisOf(report, 'mm')).toMatchObject({ causes: [], ...explainsAll(667) });
    expect(await text(model, capture, '--candidate', candidate)).not.toMatch(/\b0 input codes/);
  });
});

describe('what came with the input', () => {
  const files = [join(DIGITS, 'model.json'), join(DIGITS, 'capture.npz'), '--candidate'];

  test.each([
    ['candidate-int16.npz', 2944, 2944, 1],
    ['candidate-one-weight.npz', 54, 52, 2],
  ])('%s: inherited comes first, with counts', async (name, of, inherited, own) => {
    const [candidate] = reported('inherited-not-named', name);
    const diagnosis = diagnosisOf(await json(...files, candidate), 'fc2');
    expect(diagnosis.causes[0]).toBe('inherited');
    expect(diagnosis).toMatchObject({
      ...explainsAll(of),
      evidence: { inherited: { from: 'fc1', values: inherited } },
    });
    expect(diagnosis.evidence[diagnosis.causes[1]]).toMatchObject({ values: own });
    expect(diagnosis.fixes[0].text).toContain('correct fc1 first');
    expect(diagnosis.fixes[0].rehearsal!.mismatched_after_fix).toBe(2);
    // its own is needed as well, and leaves by itself what came with the input
    expect(diagnosis.fixes).toHaveLength(2);
    expect(diagnosis.fixes[1].rehearsal!.mismatched_after_fix).toBeLessThanOrEqual(of);
    const said = await text(...files, candidate);
    expect(said.replaceAll(/\s+/g, ' ')).toMatch(/ then yours: .* still differ, by what came with the input /);
    expect(said).toContain(`Yours: inherited from fc1 (${inherited} values) and`);
  });

  test('72 values come before 1', async () => {
    const [candidate] = reported('inherited-not-named', 'candidate-one-weight.npz');
    expect(await text(...files, candidate)).toContain(
      'Yours: one weight differs (72 values) and bias rounded to int32 (1 value)',
    );
  });

  test('a folder of golden vectors: what no simulation wrote is not believed', async () => {
    const [candidate] = reported('golden-folder-chained-rtl', '');
    const report = await json(...files, candidate);
    expect(diagnosisOf(report, 'fc2')).toMatchObject({
      ...explainsAll(54),
      evidence: { inherited: { from: 'fc1', values: 52 } },
    });
    expect(report.warnings).toContainEqual(expect.objectContaining({ code: 'not-from-your-run' }));
  });
});

describe('values that are not there', () => {
  const coverage = (name: string, ...files: string[]) => files.map((file) => join('fixtures/coverage', name, file));

  test('a ReLU alone was captured: the layer before it saturates', async () => {
    const report = await json(...coverage('only-relu', 'model.json', 'capture.npz'));
    expect(diagnosisOf(report, 'relu1')).toMatchObject({
      causes: ['int16-saturation'],
      ...explainsAll(841),
      evidence: { basis: { in: 'fc1' } },
    });
    const said = await text(...coverage('only-relu', 'model.json', 'capture.npz'));
    expect(said).toContain('PyTorch, in fc1: int16 saturation');
    expect(said).not.toContain('first divergent layer');
  });

  test('only the last layer of a candidate: the chain is searched as one', async () => {
    const [model, capture, candidate] = coverage('only-last-layer', 'model.json', 'capture.npz', 'candidate.npz');
    const report = await json(model, capture, '--candidate', candidate);
    expect(diagnosisOf(report, 'actions')).toMatchObject({
      causes: ['signedness'],
      evidence: { basis: { in: 'fc1' } },
      fixes: [{ subject: 'candidate', rehearsal: { mismatched_after_fix: 0 } }],
    });
    const said = await text(model, capture, '--candidate', candidate);
    expect(said).toContain('the candidate has no fc1, so what actions read is unknown');
    expect(said).not.toContain('first divergent layer');
  });

  test('golden inputs, layer by layer', async () => {
    const [model, capture, candidate] = coverage('layer-by-layer', 'model.json', 'capture.npz', 'candidate.npz');
    const report = await json(model, capture, '--candidate', candidate);
    const diagnosis = diagnosisOf(report, 'fc2');
    expect(diagnosis).toMatchObject({ causes: ['bias-missing'], rehearsal: { mismatched_after_fix: 0 } });
    expect(report.warnings.map(({ message }) => message)).toContain('explained if it read the captured fc1');
  });

  test('floats on the grid of the scale are codes', async () => {
    const [model, capture, candidate] = reported('float-candidate', 'model.json', 'capture.npz', 'candidate.npz');
    const report = await json(model, capture, '--candidate', candidate);
    expect(report.candidate_layers![1]).toMatchObject({ values: 500, mismatched: 166, unit: 'lsb' });
    expect(report.warnings).toContainEqual(expect.objectContaining({ code: 'floats-as-codes' }));
    // fc1 is not there: both layers floor, on a multiplier of few bits
    const { causes, explained, evidence } = report.candidate_layers![1].diagnosis!;
    expect([causes, explained]).toEqual([['rounding-floor', 'multiplier-short'], 166]);
    expect(evidence.basis).toMatchObject({ in: 'fc1', throughout: true });
  });
});
