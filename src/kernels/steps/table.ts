/** Functions of one code: a table of 256 in vectors, one of 256 for what is left of a run. */
import type { Bounded, CodeArray, TensorCall, TensorSteps } from '../../nouns/kernel.js';
import type { QuantParams } from '../../nouns/value.js';
import { f32 } from '../../numeric/float.js';
import { clamp } from '../../numeric/integer.js';
import { roundHalfEven } from '../../numeric/round.js';
import { everyElement, noElement } from '../../tensor/vectorBody.js';
import { type AtenWay, inVectors, oneByOne, type Reciprocal } from './atenVectors.js';
import { boundedCodes, codesOf, type Near, nearFunctions } from './bounded.js';
import { bodyOf, fillFrom, ofLayer, quantized, type Singles, singlesOf } from './call.js';
import { dequantizeFloat32 } from './dequantize.js';
import { tensorSteps } from './tensor.js';

/** A float32 of a float32; round: of the results of exp, tanh, expm1 and erf. */
export type RealFunction = (x: number, round: (exact: number) => number) => number;

export interface AtenFunction {
  readonly equation: string;
  readonly reciprocal?: Reciprocal;
  readonly vectors: (attributes: unknown) => RealFunction;
  /** Where it is another. */
  readonly rest?: (attributes: unknown) => RealFunction;
  /** As its vectors read codes, where that is not by FMA. */
  readonly dequantize?: AtenWay['dequantize'];
  /** What lies in memory how, where the kernel does not take it as it is. */
  readonly layout?: (call: TensorCall) => TensorCall;
}

export function atenTable({ equation, reciprocal, vectors, rest = vectors, ...own }: AtenFunction): TensorSteps {
  const bodyTable = ofLayer((call) => {
    const way = inVectors(call.vectors, reciprocal);
    return tableOf(call, { ...way, ...(own.dequantize && { dequantize: own.dequantize }) }, vectors);
  });
  const tailTable = ofLayer((call) => tableOf(call, oneByOne, rest));
  return tensorSteps(equation, (call) => {
    const [body, tail] = [bodyTable(call), tailTable(call)];
    const isBody = bodyOf(own.layout ? own.layout(call) : call);
    if (isBody === everyElement) return looked(call, body);
    if (isBody === noElement) return looked(call, tail);
    return lookedAt(call, (code, i) => (isBody(i) ? body : tail).entry(code));
  });
}

function tableOf(
  call: TensorCall,
  { dequantize, quantize }: AtenWay,
  of: (attributes: unknown) => RealFunction,
): Table {
  const {
    inputs: [input],
    output,
    attributes,
  } = call;
  const real = dequantize.prepare(quantized(input));
  const code = quantize.prepare(quantized(output));
  const apply = of(attributes);
  return ofEveryCode(call, (q) =>
    codesOf(
      nearFunctions((round) => apply(real(q), round)),
      code,
    ),
  );
}

/** QNNPACK: one table whatever lies where, clamped before it is rounded, for uint8; ATen's code elsewhere. */
export function qnnpackTable(
  equation: string,
  steps: (output: QuantParams) => RealFunction,
  aten: TensorSteps,
): TensorSteps {
  const tableOfLayer = ofLayer((call) => {
    const real = dequantizeFloat32.prepare(quantized(call.inputs[0]));
    const apply = steps(quantized(call.output));
    const code = (v: number) => roundHalfEven(clamp(v, 0, 255));
    return ofEveryCode(call, (q) =>
      codesOf(
        nearFunctions((round) => f32(apply(real(q), round))),
        code,
      ),
    );
  });
  return tensorSteps(equation, (call) =>
    quantized(call.inputs[0]).dtype === 'uint8' ? looked(call, tableOfLayer(call)) : aten.run(call),
  );
}

/** Its entries are computed where they are met; as soon as so many values as it has were looked up, all. */
interface Table {
  entry(code: number): Near;
  /** Where each entry is one code; null: it is not, or few values were looked up. */
  singlesFor(values: number): Singles | null;
}

const CODES = 256;

/** Of a layer of 64 values a quarter of its table; of thousands of such layers the tables took most of the time. */
function ofEveryCode(call: TensorCall, entryOf: (code: number) => Near): Table {
  const first = smallestOf(quantized(call.inputs[0]).dtype);
  const known = new Array<Near | undefined>(CODES);
  const entry = (code: number) => (known[code] ??= entryOf(code + first));
  const isExact = () => Array.from({ length: CODES }, (_, code) => entry(code)).every(({ low, high }) => low === high);
  let values = 0;
  let singles: Singles | null | undefined;
  return {
    entry,
    singlesFor(more) {
      values += more;
      if (values < CODES) return null;
      if (singles === undefined) singles = isExact() ? singlesOf(call, (code) => entry(code - first).near) : null;
      return singles;
    },
  };
}

function smallestOf(dtype: QuantParams['dtype']): number {
  return dtype === 'uint8' ? 0 : -128;
}

/** One table for every place. */
function looked(call: TensorCall, { entry, singlesFor }: Table): CodeArray | Bounded {
  const singles = singlesFor(call.inputs[0].data.length);
  return singles ? fillFrom(call, singles) : lookedAt(call, entry);
}

/** code: counted from the dtype's smallest. */
function lookedAt(
  { inputs: [{ data, params }] }: TensorCall,
  at: (code: number, i: number) => Near,
): CodeArray | Bounded {
  const first = smallestOf(quantized({ params }).dtype);
  return boundedCodes(data.length, (i) => at(data[i] - first, i));
}
