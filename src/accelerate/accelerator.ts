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

/** The machine, made where there is work enough for it. */
class Started {
  machine: Machine | null = null;
  private unavailable = false;
  /** Multiply-adds of products that came before: a search has thousands of small ones. */
  private before = 0;

  constructor(
    private readonly worthStarting: number,
    private readonly settings: MachineSettings,
  ) {}

  /** For so many multiply-adds; null: they are too few, or there is none on this computer. */
  forWork(multiplyAdds: number): Machine | null {
    if (this.unavailable || multiplyAdds < Math.min(this.worthStarting, WORTH_CALLING)) return null;
    if (!this.machine && this.before + multiplyAdds < this.worthStarting) return null;
    try {
      this.machine ??= new Machine(this.settings);
    } catch {
      this.unavailable = true; // no SIMD, no shared memory: the readable forms do it
    }
    return this.machine;
  }

  /** For so many values, which are no reason to make it. */
  forValues(count: number, worth = WORTH_CALLING): Machine | null {
    return count >= worth ? this.machine : null;
  }

  multiplied(form: AccumulateForm, x: Codes | Gathered, product: Product, into: Into) {
    const own = multiplyAdds(x, product);
    const machine = this.forWork(own);
    this.before += own;
    machine?.multipliesBytes(this.before); // tried once there was so much work: of groups each product is small
    const operands = machine && operandsOf(form, x, product);
    return operands && (winograd(machine, operands, product, into) ?? multiply(machine, operands, product, into));
  }
}

/** Faster equals of the readable steps, in WebAssembly. */
export function webAssembly({ worthStarting = WORTH_STARTING, ...settings }: Settings = {}): Accelerator {
  const started = new Started(worthStarting, settings);
  return {
    expect(multiplyAdds) {
      started.forWork(multiplyAdds)?.threadsFor(multiplyAdds);
    },
    accumulate: (form, x, product) => started.multiplied(form, x, product, SUMS) as Int32Array | null,
    codes(steps: ProductSteps, product: Product, x: Codes | Gathered, places = 1) {
      if (multiplyAdds(x, product) < WORTH_CALLING) return null;
      const channels = asOneGroup(product);
      const form = steps.accumulate.form?.(channels);
      const recipe = form && recipeOf(steps, channels);
      return recipe ? (started.multiplied(form, x, product, { recipe, places }) as Bytes | null) : null;
    },
    depthwise(steps, product, x) {
      const channels = asOneGroup(product);
      const planes = 'starts' in x ? x : null;
      const ofPlane = planes
        ? (planes.width * planes.data.length) / (planes.starts.length * planes.line)
        : channels.outFeatures;
      const machine = started.forWork(x.base.length * x.offset.length * ofPlane);
      if (!machine || steps.accumulate.form?.(channels)?.pairs !== null) return null;
      const recipe = recipeOf(steps, channels);
      return (
        recipe &&
        (planes ? planesCodes(machine, recipe, channels, planes) : depthwiseCodes(machine, recipe, channels, x))
      );
    },
    lossy(form, x, product) {
      const machine = started.forWork(multiplyAdds(x, product));
      return machine && lossySums(machine, form, x, product);
    },
    finish(steps, product, sums) {
      const machine = started.forValues(sums.length, WORTH_FINISHING);
      const recipe = machine && recipeOf(steps, product);
      return recipe && finished(machine, product, recipe, sums);
    },
    ...onBytes(started),
  };
}

/** What is done value by value, once the machine is there. */
function onBytes(
  started: Started,
): Pick<Accelerator, 'transposed' | 'largest' | 'pairs' | 'climbed' | 'lookedUp' | 'describe' | 'sumOfSquares'> {
  return {
    transposed(codes, outer, inner) {
      const machine = started.forValues(codes.length);
      return machine && transposedBytes(machine, codes, outer, inner);
    },
    largest(image, windows, least) {
      const machine = started.forValues(image.codes.length);
      return machine && largestBytes(machine, image, windows, least);
    },
    pairs(a, b, pair, out) {
      const machine = started.forValues(out.length);
      return machine && pairsOfBytes(machine, a, b, pair, out);
    },
    climbed(values, climb, out) {
      const machine = started.forValues(out.length);
      return machine && codesOfFloats(machine, values, climb, out);
    },
    lookedUp(codes, table) {
      const machine = started.forValues(codes.length);
      return machine && lookedUp(machine, codes, table);
    },
    describe: () => started.machine?.describeDot() ?? null,
    sumOfSquares: (codes, zeroPoint) => started.machine?.sumOfSquares(codes, zeroPoint) ?? null,
  };
}
