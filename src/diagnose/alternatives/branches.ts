/** Functions with a branch of their own below 0, of which one branch is left in steps of the input. */
import { clampOfCodes } from '../../kernels/steps/activation.js';
import { fill, quantized, reader } from '../../kernels/steps/call.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import type { SlopeAttributes } from '../../nouns/attributes.js';
import type { CodeArray, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import { isQuantized } from '../../nouns/value.js';
import { clamp } from '../../numeric/integer.js';
import type { Fact } from '../cause.js';
import { isTensorStudy, type TensorStudy } from '../study/study.js';

const BRANCHED: ReadonlySet<string> = new Set(['leaky_relu', 'prelu']);

export type Branch = 'from 0 on' | 'below 0';

export const hasBranches: Fact = (study) =>
  isTensorStudy(study) && study.free && BRANCHED.has(study.data.op) && areOfOtherScales(study);

function areOfOtherScales({ declared: { params } }: TensorStudy): boolean {
  const [input] = params.inputs;
  return isQuantized(input) && isQuantized(params.output) && input.scale !== params.output.scale;
}

/** The other branch is the kernel's own (espressif/esp-dl#319: the C code of PReLU). */
export function scriptsOfBranches({ declared }: TensorStudy): [Branch, TensorSteps][] {
  const { negativeSlope: slope } = (declared.params.attributes ?? {}) as Partial<SlopeAttributes>;
  const left = (branch: Branch, steps: (centred: number) => number): [Branch, TensorSteps] => [
    branch,
    {
      kind: 'tensor',
      equation: `${declared.steps.equation}, values ${branch} in steps of the input`,
      run(call: TensorCall) {
        const own = declared.steps.run(call) as CodeArray;
        const [from, to] = [quantized(call.inputs[0]), quantized(call.output)];
        const [lo, hi] = clampOfCodes(call.activation, to, quantizeTwoRoundings);
        const read = reader(call, 0);
        return fill(call, (i) => {
          const centred = read(i) - from.zeroPoint;
          return centred < 0 === (branch === 'below 0') ? clamp(steps(centred) + to.zeroPoint, lo, hi) : own[i];
        });
      },
    },
  ];
  const below = slope === undefined ? [] : [left('below 0', (centred) => halfEven.apply(slope * centred))];
  return [left('from 0 on', (centred) => centred), ...below];
}
