import { pyTorchFloats } from '../../kernels/pyTorchFloats.js';
import { betweenCodes } from '../../kernels/steps/betweenCodes.js';
import { anyOrderFloat32 } from '../../kernels/steps/floatLinear.js';
import { quantizeDecomposed } from '../../kernels/steps/quantize.js';
import { halfEven } from '../../kernels/steps/round.js';
import { withoutTflites } from '../../kernels/steps/tensor.js';
import { isQuantized } from '../../nouns/value.js';
import { printable } from '../../text.js';
import { stepsChange } from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import { hasBase } from '../facts.js';
import type { CauseEvidence, RuntimeForm, SomeChannels } from '../finding/evidence.js';
import { isUnrelated } from '../search/followed.js';
import {
  type Change,
  FREEDOM,
  type ProductSetup,
  type SetupOf,
  type TensorChange,
  type TensorSetup,
  withSteps,
} from '../setup.js';
import type { Scope } from '../study/data.js';
import { isProductStudy, isTensorStudy, type ProductStudy, type Study, type TensorStudy } from '../study/study.js';
import { INT32_SUMS, shell } from '../words/code.js';
import { declareCode, declareKernel, runtimeForm } from '../words/fixes.js';
import { number } from '../words/parts.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** Of a layer of floats another runtime's form. */
    'float-arithmetic': SomeChannels &
      RuntimeForm & {
        readonly ran?: 'float' | 'integers';
        /** The largest distance to the integer result. */
        readonly steps?: number;
        /** Values that the error bound of float32 leaves open, and all values looked at. */
        readonly within_bound?: number;
        readonly of?: number;
        /** Values that differ where both sides lie inside the error bound of float32. */
        readonly left_open?: number;
        /** The most that one of them is off by. */
        readonly ulp?: number;
        /** What the declared kernel computes, of what is no sum of products. */
        readonly declared_step?: string;
        /** The value that is not quantized before it is read. */
        readonly reads?: string;
        /** Of a product of floats that reads dequantized codes. */
        readonly weights?: 'float';
        /** Of a dynamic layer: its input is not quantized. */
        readonly input?: 'float';
      };
  }
}

/** So unlikely that values differ within the bound by chance. */
const CHANCE = 1e-6;
/** Where the runtime is known to do both: a float layer leaves one value in a hundred open. */
const CHANCE_OF_KNOWN = 0.02;

type Kinds = 'product' | 'tensor';

interface Guard {
  readonly chance: number;
  readonly fewest: number;
}

/**
 * Computed in float32 on dequantized values where the reference is integer, inside the error that float32 allows; of a runtime that
 * does both also the reverse.
 */
export const floatArithmetic: Cause<'float-arithmetic', Kinds> = {
  code: 'float-arithmetic',
  kinds: ['product', 'tensor'],
  needs: [(study) => Boolean(study.data.otherArithmetic) || hasBase(study) || isOfCodes(study) || mayKeepFloats(study)],
  whose: 'kernel',

  changes: (study) => {
    const { otherArithmetic: steps, arithmetic } = study.data;
    if (!steps || !isQuantized(study.declared.params.output)) return [];
    const setup = { ...study.declared, steps } as SetupOf<Kinds>;
    if (arithmetic !== 'float' && !isNoChance(study, setup, { chance: CHANCE_OF_KNOWN, fewest: 1 })) return [];
    return [
      {
        cause: 'float-arithmetic',
        coordinate: 'arithmetic',
        freedom: FREEDOM.none,
        label: arithmetic === 'float' ? 'integers' : 'float32',
        apply: (declared) => ({ ...declared, steps }) as typeof declared,
      },
    ];
  },

  estimate: (study, base) => {
    if (isTensorStudy(study as Study)) return ofTensor(study as TensorStudy, base as TensorSetup);
    if (!isProductStudy(study as Study) || base !== study.declared || study.data.otherArithmetic) return [];
    // each value of it takes all of its products: beside others it would take their time
    if (mayKeepFloats(study as Study)) return [ofFloatsThemselves()];
    return inFloat(study as ProductStudy, { chance: CHANCE, fewest: 3 });
  },

  admits: (study) =>
    isProductStudy(study as Study) && !mayKeepFloats(study as Study)
      ? inFloat(study as ProductStudy, { chance: CHANCE_OF_KNOWN, fewest: 1 })
      : [],

  evidence: ({ study, change, setup, without }) => {
    if (change.label === 'integers') return { ran: 'integers' };
    if (change.found) return { ran: 'float' };
    const { low, high } = study.outputs(setup, study.subset);
    const integer = study.outputs(without, study.subset).data;
    let [steps, open] = [0, 0];
    study.subset.observed.forEach((value: number, i: number) => {
      steps = Math.max(steps, Math.abs(value - integer[i]));
      if (low && high && low[i] < high[i]) open++;
    });
    const { declared } = study as Study;
    const own = declared.kind === 'tensor' ? { declared_step: declared.steps.equation } : {};
    return { ran: 'float', steps, within_bound: open, of: integer.length, ...own };
  },

  words: {
    title: (e) => {
      if (e.left_open !== undefined) return 'inside what float32 leaves open';
      if (e.found !== undefined) return OTHER_TITLE;
      return e.ran === 'integers' ? 'computed in integers, not in float' : 'computed in float32';
    },
    explanation: (e) => {
      if (e.left_open !== undefined) return BOTH_INSIDE;
      if (e.found !== undefined) return OTHER_FLOATS;
      if (e.ran === 'integers')
        return 'Codes are multiplied as integers, where the reference dequantizes them and multiplies floats.';
      if (e.input !== undefined)
        return 'Floats are multiplied with the real values of the weights, where the reference makes codes of its input first.';
      return e.declared_step !== undefined
        ? "Codes are dequantized, computed on in float32 and quantized, as the operator's text says; the reference computes on codes."
        : 'Codes are dequantized and multiplied in float32 (fake quantization), where the reference adds integers.';
    },
    evidence: (e, context) => [
      ...(OF_FLOATS.evidence?.(e, context) ?? []),
      e.reads === undefined ? null : `${printable(e.reads)} is read as floats, which nothing quantized`,
      e.weights === undefined ? null : 'the weights are floats there, which nothing quantized',
      e.declared_step === undefined ? null : `the reference: ${e.declared_step}`,
      number(
        e.left_open,
        (n) => `${n} ${n === '1' ? 'value differs' : 'values differ'} inside that bound, none outside`,
      ),
      e.ulp === undefined ? null : `no mistake: --tol-ulp LAYER=${e.ulp} accepts it`,
      number(e.steps, (n) => `up to ${n} steps from the integer result`),
      e.within_bound === undefined ? null : `float32 leaves ${e.within_bound} of ${e.of ?? 'all'} values open`,
    ],
    fix: (e, context) => {
      if (e.left_open !== undefined) return null;
      if (e.found !== undefined) return OF_FLOATS.fix(e, context);
      if (context.subject === 'candidate' && e.declared_step !== undefined)
        return `compute it as ${printable(context.declaredKernel)} does: ${e.declared_step}`;
      if (e.input !== undefined) return 'quantize what the layer reads, over its range, and multiply the codes';
      if (context.subject === 'candidate')
        return 'multiply the integer codes and requantize the sums, in place of dequantized floats';
      if (context.framework !== 'ONNX Runtime') return declareKernel(context);
      return e.ran === 'integers' ? RAN_IN_INTEGERS : RAN_IN_FLOAT;
    },
    code: (e, context) => {
      if (e.left_open !== undefined || e.input !== undefined) return [];
      if (context.subject === 'candidate') return e.declared_step === undefined ? INT32_SUMS : [];
      if (context.framework !== 'ONNX Runtime') return declareCode(context);
      return [
        shell(
          e.ran === 'integers'
            ? 'qdiff run model.onnx inputs.npz -o capture.npz'
            : 'qdiff exporter onnx > capture_onnx.py && python capture_onnx.py model.onnx inputs.npz capture.npz',
        ),
      ];
    },
  },
};

const BOTH_INSIDE =
  'Both sides lie inside the error bound that float32 leaves of this layer: another order of sums or another function gives other last digits.';
const OTHER_TITLE = 'computed in float32 by another order or function';
const OTHER_FLOATS = 'A runtime sums floats in its own order and has functions of its own: the last bits are others.';
const OF_FLOATS = runtimeForm<CauseEvidence['float-arithmetic']>(OTHER_TITLE, OTHER_FLOATS);

/** A candidate of a dynamic layer. */
function mayKeepFloats({ free, data }: Study): boolean {
  return free && data.dynamic !== null && !data.otherArithmetic;
}

function ofFloatsThemselves(): Change<SetupOf<Kinds>> {
  const change: Change<ProductSetup> = {
    cause: 'float-arithmetic',
    coordinate: 'x_range',
    freedom: FREEDOM.none,
    label: 'floats',
    rare: true,
    found: { input: 'float' },
    apply: (setup) => ({ ...setup, unquantized: true }),
  };
  return change as Change<SetupOf<Kinds>>;
}

/** An op on whole values that takes and gives codes, which anyone may have computed. */
function isOfCodes(study: Study): boolean {
  const { declared, free } = study;
  return free && declared.kind === 'tensor' && [...declared.params.inputs, declared.params.output].every(isQuantized);
}

/** Dequantized, computed in float32 and quantized again, where an order of sums or a function leaves codes open. */
function ofTensor(study: TensorStudy, base: TensorSetup): Change<SetupOf<Kinds>>[] {
  const floats = pyTorchFloats[study.data.op];
  if (base !== study.declared || study.data.otherArithmetic || floats?.kind !== 'tensor') return [];
  const steps = withoutTflites(betweenCodes(floats, quantizeDecomposed));
  if (steps.lacks?.(study.declared.params)) return [];
  const isSure = isNoChance(study, { ...study.declared, steps }, { chance: CHANCE, fewest: 3 });
  const change: TensorChange = {
    ...stepsChange('float-arithmetic', 'multiplier', steps, { ran: 'float' }),
    freedom: FREEDOM.numberPerChannel,
    tiny: true,
  };
  return isSure ? [change as Change<SetupOf<Kinds>>] : [];
}

const FLOAT = { product: anyOrderFloat32, quantize: quantizeDecomposed };

function inFloat(study: ProductStudy, guard: Guard): Change<SetupOf<Kinds>>[] {
  const apply = (declared: ProductSetup) => withSteps(declared, { float: FLOAT, round: halfEven });
  if (isUnrelated(study as Study, study.declared)) return [];
  if (!isNoChance(study as unknown as Study<Kinds>, apply(study.declared), guard)) return [];
  const change: Change<ProductSetup> = {
    cause: 'float-arithmetic',
    coordinate: 'multiplier',
    freedom: FREEDOM.numberPerChannel,
    tiny: true,
    label: 'float32',
    apply,
  };
  return [change as Change<SetupOf<Kinds>>];
}

/**
 * The bound leaves few values open, and those that differ are among them; without a bound it is exact. Looked at by parts, until the
 * rest cannot change it: by few values where so many differ.
 */
function isNoChance(study: Study<Kinds>, setup: SetupOf<Kinds>, { chance, fewest }: Guard): boolean {
  const differing = study.mismatches(study.declared);
  if (differing < fewest) return false;
  const isBoundless = Boolean(study.data.otherArithmetic) && study.declared.kind === 'tensor';
  const { length } = study.subset.observed;
  const isFew = (open: number) => (open / length) ** differing < chance;
  const openIn = (part: Scope) => {
    const { low, high } = study.outputs(setup, part);
    if (!low || !high) return isBoundless ? 0 : Number.POSITIVE_INFINITY;
    let open = 0;
    for (let i = 0; i < low.length; i++) if (low[i] < high[i]) open++;
    return open;
  };
  const few = isProductStudy(study as Study) ? study.probe : null;
  if (few && isFew(openIn(few) + length - few.observed.length)) return true;
  let [open, seen] = [0, 0];
  study.eachChunk(
    study.subset,
    (part) => {
      open += openIn(part);
      seen += part.observed.length;
      return isFew(open) && !isFew(open + length - seen);
    },
    1,
  );
  return isFew(open);
}

const RAN_IN_FLOAT =
  'capture the graph that runs, with qdiff run or the file that qdiff exporter onnx prints: tensors added as outputs, session.disable_quant_qdq=1 and levels below ORT_ENABLE_EXTENDED keep ONNX Runtime from fusing';

const RAN_IN_INTEGERS =
  "say in the capture's producer what ran (framework_version, settings such as session.qdqisint8allowed=1, arch), as qdiff run and qdiff exporter onnx do: they decide what ONNX Runtime fuses";
