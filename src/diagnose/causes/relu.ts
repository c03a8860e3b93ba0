import { clampOfCodes } from '../../kernels/steps/activation.js';
import { quantizeTwoRoundings } from '../../kernels/steps/quantize.js';
import type { Activation } from '../../nouns/model.js';
import { isQuantized } from '../../nouns/value.js';
import { clampBounds } from '../../replay/elementwise.js';
import type { Fact } from '../cause.js';
import { convertsIn } from '../facts.js';
import {
  type ElementwiseSetup,
  type ProductSetup,
  type Setup,
  type TensorSetup,
  withOutput,
  withParams,
} from '../setup.js';

const { NEGATIVE_INFINITY, POSITIVE_INFINITY } = Number;

/** Negative reals become 0: fused into a product, or a layer of its own. */
export const hasRelu: Fact = ({ declared }) => isRelu(declared);

/** Negative reals stay, and a ReLU could be here. */
export const lacksRelu: Fact = ({ declared }) => {
  if (declared.kind !== 'elementwise') return declared.params.activation === 'none';
  const { clamp } = declared.params;
  return (!convertsIn(declared) && (clamp === null || clamp.lower < 0)) || givesReals(declared);
};

/** Codes to reals. */
function givesReals({ steps }: ElementwiseSetup): boolean {
  return steps.dequantize !== null && steps.quantize === null;
}

export function isRelu(setup: Setup): boolean {
  if (setup.kind === 'elementwise') return setup.params.clamp?.lower === 0;
  return setup.params.activation === 'relu' || setup.params.activation === 'relu6';
}

export function withRelu(setup: Setup): Setup {
  if (setup.kind === 'product') return withParams(setup, { activation: 'relu' });
  if (setup.kind === 'tensor') return reluBehind(setup);
  if (givesReals(setup)) return { ...setup, stores: { name: 'relu', apply: (real) => Math.max(real, 0) } };
  return withParams(setup, { clamp: { upper: setup.params.clamp?.upper ?? POSITIVE_INFINITY, lower: 0 } });
}

/** Not every step on whole values asks for an activation: a norm, or a table, has none. */
function reluBehind(setup: TensorSetup): Setup {
  const { output } = setup.params;
  const fused = withParams(setup, { activation: 'relu' });
  return isQuantized(output) ? withOutput(fused, { quantMin: Math.max(output.quantMin, output.zeroPoint) }) : fused;
}

/** Not clamped at all. */
export function withoutRelu(setup: Setup): Setup {
  if (setup.kind === 'tensor') return withParams(setup, { activation: 'none' });
  return setup.kind === 'product' ? withParams(setup, { activation: 'none' }) : withParams(setup, { clamp: null });
}

/** The codes between which an activation leaves values; null: of floats, or without one. */
export function activationRange(setup: Setup): readonly [number, number] | null {
  const { output } = setup.params;
  if (!isQuantized(output)) return null;
  if (setup.kind === 'elementwise') return isRelu(setup) ? clampBounds(setup.steps, setup.params) : null;
  const { activation } = setup.params;
  const bound = setup.kind === 'product' ? setup.steps.bound : quantizeTwoRoundings;
  return activation === 'none' ? null : clampOfCodes(activation, output, bound);
}

/** A ReLU6 that is a ReLU; null where there is none. */
export function withoutUpperBound(declared: Setup): ((setup: Setup) => Setup) | null {
  if (declared.kind === 'elementwise')
    return isRelu(declared) && declared.params.clamp!.upper < POSITIVE_INFINITY
      ? (setup) =>
          setup.kind === 'elementwise' ? withParams(setup, { clamp: { lower: 0, upper: POSITIVE_INFINITY } }) : setup
      : null;
  return declared.params.activation === 'relu6' ? (setup) => withRelu(setup) : null;
}

/** Clamped as before, but for the ReLU's own bound. */
export function withoutLowerBound(setup: Setup): Setup {
  if (setup.kind === 'elementwise') {
    const upper = setup.params.clamp?.upper ?? POSITIVE_INFINITY;
    return withParams(setup, { clamp: { lower: NEGATIVE_INFINITY, upper } });
  }
  const { activation, output } = setup.params;
  if (activation !== 'relu6' || !isQuantized(output)) return withActivation(setup, 'none');
  const [, upper] = clampOfCodes(
    activation,
    output,
    setup.kind === 'product' ? setup.steps.bound : quantizeTwoRoundings,
  );
  return withActivation(setup, { clamp: [NEGATIVE_INFINITY, upper] });
}

function withActivation(setup: ProductSetup | TensorSetup, activation: Activation): Setup {
  return setup.kind === 'product' ? withParams(setup, { activation }) : withParams(setup, { activation });
}
