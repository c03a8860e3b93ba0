import { exact } from '../kernels/steps/accumulate.js';
import type { Codes } from '../nouns/kernel.js';
import { clamp } from '../numeric/integer.js';
import { roundHalfEven } from '../numeric/round.js';
import { type Setup, withLinear, withSteps } from './setup.js';
import type { Scope, Study } from './study.js';

/**
 * What reduce_range=True would leave: the activations requantized to 7 bits (twice the scale, half the zero point), each
 * value replayed with the saturating accumulator and with the exact one. Returns how many still differ.
 */
export async function rehearseReducedRange(study: Study, saturating: Setup): Promise<number> {
  const reduced = study.data.dynamic ? saturating : withSevenBits(saturating);
  const exactSetup = withSteps(reduced, { accumulate: exact });
  const judged = study.data.dynamic ? study.withReducedRange() : study;
  let differing = 0;
  for await (const scope of judged.blocks()) {
    const codes = study.data.dynamic ? scope : sevenBitScope(scope, saturating, reduced);
    const a = judged.outputs(reduced, codes).data;
    const b = judged.outputs(exactSetup, codes).data;
    for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) differing++;
  }
  return differing;
}

function withSevenBits(setup: Setup): Setup {
  const { input } = setup.linear;
  const zeroPoint = clamp(roundHalfEven(input.zeroPoint / 2), 0, 127);
  return { ...withLinear(setup, { input: { ...input, scale: 2 * input.scale, zeroPoint } }), readX: null };
}

function sevenBitScope(scope: Scope, before: Setup, after: Setup): Scope {
  const x = scope.x as Codes;
  const [from, to] = [before.linear.input.zeroPoint, after.linear.input.zeroPoint];
  const read = before.readX?.apply ?? ((code: number) => code);
  const data = new Uint8Array(x.data.length);
  for (let i = 0; i < data.length; i++) data[i] = clamp(roundHalfEven((read(x.data[i]) - from) / 2) + to, 0, 127);
  return { ...scope, x: { rows: x.rows, cols: x.cols, data } };
}
