/** A float bias that the other file has as int32 codes at s_x * s_w: what an export makes of it. */
import type { ModelDifference } from '../../nouns/report.js';
import { roundHalfEven, truncate } from '../../numeric/round.js';

export type BiasRounding = NonNullable<ModelDifference['rounded']>;

type Biases = readonly Pick<ModelDifference, 'channel' | 'expected' | 'actual'>[];

/** How all of a layer's biases that differ were rounded; null: they are other numbers. unit: of each channel. */
export function biasRounding(biases: Biases, unit: (channel: number) => number): BiasRounding | null {
  const inUnits = biases.map(({ channel, expected, actual }) => {
    const own = unit(channel!);
    return { real: (expected as number) / own, code: (actual as number) / own };
  });
  if (!inUnits.every(({ code }) => near(code, roundHalfEven(code)))) return null;
  if (inUnits.every(({ real, code }) => Math.abs(real - code) <= 0.501)) return 'to nearest';
  const isCut = ({ real, code }: (typeof inUnits)[number]) => near(code, truncate(real)) || near(real, code);
  return inUnits.every(isCut) ? 'toward zero' : null;
}

/** Up to what float32 makes of a number so large. */
function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-3 + Math.abs(b) * 2 ** -21;
}
