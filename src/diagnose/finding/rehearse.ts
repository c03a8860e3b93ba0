import type { Codes } from '../../nouns/kernel.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { type ProductSetup, withParams } from '../setup.js';
import type { Scope } from '../study/data.js';
import type { ProductStudy } from '../study/study.js';

/**
 * What reduce_range=True would leave: the activations requantized to 7 bits (twice the scale, half the zero point), each
 * value replayed as the capture was found to be computed and as it is declared. Returns how many still differ.
 */
export async function rehearseReducedRange(
  study: ProductStudy,
  found: ProductSetup,
  declared: ProductSetup,
): Promise<number> {
  const { dynamic } = study.data;
  const reduced = (setup: ProductSetup) => (dynamic ? setup : withSevenBits(setup));
  const judged = dynamic ? study.of({ ...study.data, dynamic: { ...dynamic, reduceRange: true } }) : study;
  return countDiffering(judged, reduced(found), reduced(declared), (scope) =>
    dynamic ? scope : sevenBitScope(scope, found, reduced(found)),
  );
}

/** The same for weights of 7 bits: twice the scale, half the code. */
export function rehearseSmallWeights(study: ProductStudy, found: ProductSetup, declared: ProductSetup) {
  return countDiffering(study, withSmallWeights(found), withSmallWeights(declared), (scope) => scope);
}

/** Values that two computations of the same layer give otherwise. */
export function rehearseSums(study: ProductStudy, found: ProductSetup, declared: ProductSetup): Promise<number> {
  return countDiffering(study, found, declared, (scope) => scope);
}

async function countDiffering(
  study: ProductStudy,
  one: ProductSetup,
  other: ProductSetup,
  read: (scope: Scope) => Scope,
): Promise<number> {
  let differing = 0;
  for await (const scope of study.blocks()) {
    const codes = read(scope);
    const a = study.outputs(one, codes).data;
    const b = study.outputs(other, codes).data;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) differing++;
    if (codes !== study.subset) study.engine.forget(codes);
  }
  return differing;
}

function withSmallWeights(setup: ProductSetup): ProductSetup {
  const { weight, weightScale, weightZeroPoint } = setup.params;
  return withParams(setup, {
    weight: weight.map((code) => clamp(roundHalfEven(code / 2), -64, 63)),
    weightScale: weightScale.map((scale) => 2 * scale),
    weightZeroPoint: weightZeroPoint.map((zero) => roundHalfEven(zero / 2)),
  });
}

function withSevenBits(setup: ProductSetup): ProductSetup {
  const { input } = setup.params;
  const zeroPoint = clamp(roundHalfEven(input.zeroPoint / 2), 0, 127);
  return {
    ...withParams(setup, { input: { ...input, scale: 2 * input.scale, zeroPoint } }),
    reads: setup.reads.map((read, i) => (i === 0 ? null : read)),
  };
}

function sevenBitScope(scope: Scope, before: ProductSetup, after: ProductSetup): Scope {
  const x = scope.inputs[0] as Codes;
  const [from, to] = [before.params.input.zeroPoint, after.params.input.zeroPoint];
  const read = before.reads[0]?.apply ?? ((code: number) => code);
  const data = new Uint8Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = clamp(roundHalfEven((read(x.data[i]) - from) / 2) + to, 0, 127);
  const [, ...others] = scope.inputs;
  return { ...scope, inputs: [{ rows: x.rows, cols: x.cols, data }, ...others] };
}
