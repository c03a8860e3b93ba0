import type { Accelerator, Codes, Gathered, Product, ProductSteps } from '../nouns/kernel.js';
import type { AccumulateForm } from '../nouns/sumForms.js';
import type { Bytes } from '../numeric/array.js';
import { asOneGroup } from '../products/groups.js';
import { depthwiseCodes, planesCodes } from './depthwise.js';
import { codesOfFloats, lookedUp, pairsOfBytes } from './elementwise.js';
import { finished } from './finish.js';
import { Machine, type MachineSettings } from './job.js';
import { lossySums } from './lossy.js';
import type { Into } from './parts.js';
import { largestBytes } from './pools.js';
import { multiply, multiplyAdds, operandsOf, SUMS } from './product.js';
import { recipeOf } from './recipe.js';
import { transposedBytes } from './transposed.js';
import { winograd } from './winograd.js';

/** Below this many multiply-adds in all compiling the module (2 ms) does not pay; once it is there, much less does. */
const WORTH_STARTING = 2 ** 21;
const WORTH_CALLING = 2 ** 12;
/** Sums whose codes are worth a call, where the module is there. */
const WORTH_FINISHING = 2 ** 8;
export interface Settings extends MachineSettings {
  /** Multiply-adds, of one product or of many, from which the module is compiled. */
  readonly worthStarting?: number;
}

let inUse: { threads: number | undefined; portable: boolean; made: Accelerator } | null = null;

/**
 * The accelerator for a run. What takes time to start does so at once where that many multiply-adds are expected, while files
 * are read; otherwise when there is work. Runs with the same settings share its memory.
 */
export function accelerate({ expected = 0, ...settings }: Settings & { readonly expected?: number } = {}): Accelerator {
  const { threads, portable = false } = settings;
  if (!inUse || inUse.threads !== threads || inUse.portable !== portable) {
    inUse = { threads, portable, made: webAssembly(settings) };
  }
  inUse.made.expect(expected);
  return inUse.made;
}

/** Faster equals of the readable steps, in WebAssembly. */
export function webAssembly({ worthStarting = WORTH_STARTING, ...settings }: Settings = {}): Accelerator {
  let machine: Machine | null = null;
  let unavailable = false;
  /** Multiply-adds of products that came before it: a search has thousands of small ones. */
  let before = 0;
  const machineFor = (multiplyAdds: number): Machine | null => {
    if (unavailable || multiplyAdds < Math.min(worthStarting, WORTH_CALLING)) return null;
    if (!machine && before + multiplyAdds < worthStarting) return null;
    try {
      machine ??= new Machine(settings);
    } catch {
      unavailable = true; // no SIMD, no shared memory: the readable forms do it
    }
    return machine;
  };
  const multiplied = (form: AccumulateForm, x: Codes | Gathered, product: Product, into: Into) => {
    const own = multiplyAdds(x, product);
    const found = machineFor(own);
    before += own;
    found?.multipliesBytes(before); // tried once there was so much work: of groups each product is small
    const operands = found && operandsOf(form, x, product);
    return operands && (winograd(found, operands, product, into) ?? multiply(found, operands, product, into));
  };
  return {
    expect(multiplyAdds) {
      machineFor(multiplyAdds)?.threadsFor(multiplyAdds);
    },
    accumulate: (form, x, product) => multiplied(form, x, product, SUMS) as Int32Array | null,
    codes(steps: ProductSteps, product: Product, x: Codes | Gathered, places = 1) {
      if (multiplyAdds(x, product) < WORTH_CALLING) return null;
      const channels = asOneGroup(product);
      const form = steps.accumulate.form?.(channels);
      const recipe = form && recipeOf(steps, channels);
      return recipe ? (multiplied(form, x, product, { recipe, places }) as Bytes | null) : null;
    },
    depthwise(steps, product, x) {
      const channels = asOneGroup(product);
      const planes = 'starts' in x ? x : null;
      const ofPlane = planes
        ? (planes.width * planes.data.length) / (planes.starts.length * planes.line)
        : channels.outFeatures;
      const found = machineFor(x.base.length * x.offset.length * ofPlane);
      if (!found || steps.accumulate.form?.(channels)?.pairs !== null) return null;
      const recipe = recipeOf(steps, channels);
      return (
        recipe && (planes ? planesCodes(found, recipe, channels, planes) : depthwiseCodes(found, recipe, channels, x))
      );
    },
    lossy(form, x, product) {
      const found = machineFor(multiplyAdds(x, product));
      return found && lossySums(found, form, x, product);
    },
    finish(steps, product, sums) {
      const recipe = machine && sums.length >= WORTH_FINISHING ? recipeOf(steps, product) : null;
      return recipe && finished(machine!, product, recipe, sums);
    },
    transposed(codes, outer, inner) {
      return machine && codes.length >= WORTH_CALLING ? transposedBytes(machine, codes, outer, inner) : null;
    },
    largest(image, windows, least) {
      return machine && image.codes.length >= WORTH_CALLING ? largestBytes(machine, image, windows, least) : null;
    },
    pairs: (a, b, pair, out) =>
      machine && out.length >= WORTH_CALLING ? pairsOfBytes(machine, a, b, pair, out) : null,
    climbed: (values, climb, out) =>
      machine && out.length >= WORTH_CALLING ? codesOfFloats(machine, values, climb, out) : null,
    lookedUp: (codes, table) => (machine && codes.length >= WORTH_CALLING ? lookedUp(machine, codes, table) : null),
    describe: () => machine?.describeDot() ?? null,
    sumOfSquares: (codes, zeroPoint) => machine?.sumOfSquares(codes, zeroPoint) ?? null,
  };
}
