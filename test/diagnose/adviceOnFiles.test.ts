/** What a finding advises for a file is done to it, by the numbers of its evidence, and compared again: as many values are left as its rehearsal says. */
import { expect, test } from 'vitest';
import type { CauseEvidence, Evidence } from '../../src/diagnose/finding/evidence.js';
import type { Product } from '../../src/nouns/kernel.js';
import type { DiagnosisReport } from '../../src/nouns/report.js';
import type { QuantParams } from '../../src/nouns/value.js';
import { kindsOf, MISTAKES } from './mistakes.js';
import { compareLayer, randomFrom, worldOf } from './world.js';

type Corrections = { readonly [C in keyof CauseEvidence]?: (e: CauseEvidence[C], file: Product) => Partial<Product> };

const output = ({ output: own }: Product) => own as QuantParams;

/** Numbers of channels, where the evidence lists all of them. */
function listed(own: ArrayLike<number>, { found = [], omitted = 0 }: CauseEvidence['bias-value']): Float32Array {
  if (omitted > 0) throw new Error(`${omitted} are not listed`);
  const numbers = Float32Array.from(own);
  for (const { channel, found: number } of found) numbers[channel!] = number;
  return numbers;
}

function inOrder<A extends Float32Array | Float64Array>(own: A, e: CauseEvidence['scale-shifted']): A {
  const { shift, permutation } = e as { readonly shift?: number; readonly permutation?: readonly number[] };
  return own.map((_, n) => own[permutation ? permutation[n] : (n + shift!) % own.length]) as A;
}

const CORRECTIONS: Corrections = {
  'output-zero-point-wrong': ({ found }, file) => ({ output: { ...output(file), zeroPoint: found! } }),
  'output-scale-wrong': ({ found }, file) => ({ output: { ...output(file), scale: found! } }),
  'input-scale-wrong': ({ found }, file) => ({ input: { ...file.input, scale: found! } }),
  'input-zero-point-wrong': ({ found }, file) => ({ input: { ...file.input, zeroPoint: found! } }),
  'activation-zero-point-missing': (e, file) => ({ input: { ...file.input, zeroPoint: e.zero_point! } }),
  'scale-shifted': (e, file) => ({ weightScale: inOrder(file.weightScale, e) }),
  'bias-shifted': (e, file) => ({ bias: inOrder(file.bias!, e) }),
  'bias-factor': ({ factor }, { bias }) => ({ bias: bias!.map((b) => b * factor!) }),
  'bias-value': (e, { bias }) => ({ bias: listed(bias!, e) }),
  'bias-missing': (e, { outFeatures }) => ({ bias: listed(new Float32Array(outFeatures), e) }),
  'weight-value': ({ weights = [] }, { weight, inFeatures }) => {
    const own = weight.slice();
    for (const { channel, k, found } of weights) own[channel * inFeatures + k] = found;
    return { weight: own };
  },
  'weight-transposed': (_, { weight, inFeatures }) => ({
    weight: weight.map((_, i) => weight[(i % inFeatures) * inFeatures + Math.floor(i / inFeatures)]),
  }),
  'capture-after-relu': () => ({ activation: 'relu' }),
  'capture-before-relu': () => ({ activation: 'none' }),
};

/** The file after its fix; null: what is found is not all in the evidence. */
function corrected({ causes: [cause], evidence }: DiagnosisReport, file: Product): Product | null {
  const found = (evidence as Evidence)[cause as keyof CauseEvidence];
  const correct = CORRECTIONS[cause as keyof CauseEvidence] as
    | ((e: unknown, own: Product) => Partial<Product>)
    | undefined;
  if (!correct || ((found as { omitted?: number } | undefined)?.omitted ?? 0) > 0) return null;
  return { ...file, ...correct(found ?? {}, file) };
}

const FILES = MISTAKES.filter(({ name }) => /^(file|capture): /.test(name)).flatMap((mistake) =>
  kindsOf(mistake)
    .filter((kind) => kind !== 'wide')
    .slice(-1)
    .map((kind) => ({ name: `${mistake.name}, ${kind}`, mistake, kind })),
);

let applied = 0;
test.each(FILES)('$name', async ({ mistake, kind }) => {
  const random = randomFrom(71 * 7919);
  const world = worldOf(kind, random);
  const { declared, captured } = mistake.make(world, random);
  const { diagnosis, mismatched } = (await compareLayer(world, declared, captured, { producer: {} })).layers[0];
  const fix = diagnosis?.fixes[0];
  if (!fix?.rehearsal || diagnosis?.causes.length !== 1) return;
  const kernel = /"kernel": "([^"]+)"/.exec(fix.text)?.[1];
  const file = kernel ? declared : corrected(diagnosis, declared);
  if (!file) return;
  const [again] = (await compareLayer(world, file, captured, { producer: {}, kernel, diagnose: false })).layers;
  const said = fix.rehearsal.mismatched_after_fix;
  expect(said).toBeLessThan(mismatched!);
  expect({ fix: fix.text, left: again.mismatched }).toEqual({ fix: fix.text, left: said });
  applied++;
});

test('many are applied', () => expect(applied).toBeGreaterThan(FILES.length / 2));
