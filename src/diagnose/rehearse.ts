import { exact } from '../kernels/steps/accumulate.js';
import type { Codes } from '../nouns/kernel.js';
import { clamp } from '../numeric/integer.js';
import { roundHalfEven } from '../numeric/round.js';
import { type ProductSetup, withParams, withSteps } from './setup.js';
import type { Scope } from './study/data.js';
import type { ProductStudy } from './study/study.js';

/**
 * What reduce_range=True would leave: the activations requantized to 7 bits (twice the scale, half the zero point), each
 * value replayed with the saturating accumulator and with the exact one. Returns how many still differ.
 */
export async function rehearseReducedRange(study: ProductStudy, saturating: ProductSetup): Promise<number> {
  const reduced = study.data.dynamic ? saturating : withSevenBits(saturating);
  const exactSetup = withSteps(reduced, { accumulate: exact });
  const { dynamic } = study.data;
  const judged = dynamic ? study.of({ ...study.data, dynamic: { ...dynamic, reduceRange: true } }) : study;
  let differing = 0;
  for await (const scope of judged.blocks()) {
    const codes = study.data.dynamic ? scope : sevenBitScope(scope, saturating, reduced);
    const a = judged.outputs(reduced, codes).data;
    const b = judged.outputs(exactSetup, codes).data;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) differing++;
    if (codes !== judged.subset) judged.engine.forget(codes);
  }
  return differing;
}

function withSevenBits(setup: ProductSetup): ProductSetup {
  const { input } = setup.params;
  const zeroPoint = clamp(roundHalfEven(input.zeroPoint / 2), 0, 127);
  return { ...withParams(setup, { input: { ...input, scale: 2 * input.scale, zeroPoint } }), reads: [null] };
}

function sevenBitScope(scope: Scope, before: ProductSetup, after: ProductSetup): Scope {
  const x = scope.inputs[0] as Codes;
  const [from, to] = [before.params.input.zeroPoint, after.params.input.zeroPoint];
  const read = before.reads[0]?.apply ?? ((code: number) => code);
  const data = new Uint8Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = clamp(roundHalfEven((read(x.data[i]) - from) / 2) + to, 0, 127);
  return { ...scope, inputs: [{ rows: x.rows, cols: x.cols, data }] };
}
