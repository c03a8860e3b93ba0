import type { TensorSteps } from '../../nouns/kernel.js';
import { isQuantized, type QuantParams } from '../../nouns/value.js';
import { int32s } from '../../numeric/array.js';
import { sumOf } from '../../numeric/integer.js';
import { printable } from '../../text.js';
import { hasCases } from '../alternatives/cases.js';
import { tablesReadOtherwise } from '../alternatives/embeddings.js';
import { chosenNumbers } from '../alternatives/functions/chosenNumbers.js';
import { coarseTableOf } from '../alternatives/functions/coarseTables.js';
import { curveOfCodes } from '../alternatives/functions/curvesOfCodes.js';
import {
  constantsOfFloats,
  departs,
  functionsOfFloats,
  ITSELF,
  slopesOfFloats,
} from '../alternatives/functions/floatFunctions.js';
import { mapOf, shiftsOf, slopesOf } from '../alternatives/functions/lookups.js';
import { fieldsOfFloats } from '../alternatives/functions/otherFields.js';
import {
  formOf,
  isOwnFunction,
  ofWindows,
  otherKernels,
  scriptsOf,
  scriptsOfFunctions,
  scriptsOfTables,
  scriptsToNearest,
  stepsChange,
} from '../alternatives/tensorSteps.js';
import type { Cause } from '../cause.js';
import type { CauseEvidence, RuntimeForm, SomeChannels, TableEntries } from '../finding/evidence.js';
import { type CodeMap, FREEDOM, inputOf, readAs, type TensorChange, type TensorSetup, withParams } from '../setup.js';
import { isTensorStudy, type Study, type TensorStudy } from '../study/study.js';
import type { CauseWords, FixContext } from '../words/causeWords.js';
import { numpy } from '../words/code.js';
import { runtimeForm } from '../words/fixes.js';
import { inNumpy } from '../words/inNumpy.js';
import { decidingSentence } from '../words/parts.js';
import { decidingValue } from './deciding.js';

declare module '../finding/evidence.js' {
  interface CauseEvidence {
    /** Of a runtime's own form of an op, as a whole; one line of arithmetic each. */
    'table-entry': SomeChannels &
      RuntimeForm &
      TableEntries & {
        /** Another one than the op's, by its name. */
        readonly function?: string;
        /** What the layer makes is floats. */
        readonly floats?: true;
        /** Of floats: what every value is multiplied with, or what is added to it. */
        readonly times?: number;
        readonly plus?: number;
        /** Each code is given the output of the one so many places before it; around: from the other end where there is none. */
        readonly read_before?: number;
        readonly around?: true;
        /** Of rows that are looked up: what of them is read otherwise. */
        readonly rows?: string;
      };
  }
}

/** A differing entry is seen so often at least, but for one of so many values: the tails of a function are rare. All together are seen so often again. */
const FEWEST_EACH = 3;
const ONE_RARE_OF = 16;
const FEWEST_AGAIN = 6;
const MOST_SHOWN = 8;
/** Of more a rule is likelier, and a number. */
const FEW_ENTRIES = 8;
/** Of fewer codes any function is a table. */
const FEWEST_MET = 8;

/** A table of one entry a code that is built in another way. */
export const tableEntry: Cause<'table-entry', 'tensor'> = {
  code: 'table-entry',
  kinds: ['tensor'],
  needs: [(study) => isTensorStudy(study) && (isTable(study) || isOfRows(study) || isLookup(study))],
  whose: 'kernel',

  changes: (study) => [
    ...(isTable(study)
      ? [...otherKernels(study, 'table-entry').map(({ steps }) => steps), ...scriptsToNearest(study, false)]
      : []
    ).map((steps) =>
      stepsChange('table-entry', 'multiplier', steps, {
        found: steps.equation,
        declared: study.declared.steps.equation,
      }),
    ),
    ...[...functionsOf(study), ...slopesOfFloats(study), ...chosenNumbers(study)].map(([name, steps]) =>
      stepsChange('table-entry', 'multiplier', steps, {
        function: name,
        ...(isQuantized(study.declared.params.output) ? {} : { floats: true as const }),
      }),
    ),
    ...fieldsOfFloats(study).map(([name, attributes]) => ofAttributes(name, attributes)),
    ...constantsOfFloats(study).map(([constant, steps]) => ({
      ...stepsChange('table-entry', 'multiplier', steps, { ...constant, floats: true }),
      freedom: FREEDOM.oneNumber,
    })),
    ...(study.free && study.data.op === 'prelu_of_two' ? ofSlopesReadOtherwise(study) : []),
    ...tablesReadOtherwise(study).map(([rows, steps]) => stepsChange('table-entry', 'multiplier', steps, { rows })),
  ],

  shows: ({ study, change, setup }) => {
    const { function: name, floats } = (change.found ?? {}) as CauseEvidence['table-entry'];
    if (floats) return departs(study as TensorStudy, setup as TensorSetup, FEWEST);
    return name === undefined || !isOwnFunction(study as TensorStudy, setup);
  },

  // one output code for every input code, whatever it follows from
  estimate: (study, base) => {
    if (base !== study.declared || study.data.side !== 'candidate') return [];
    const table = isTable(study) ? tableOf(study) : null;
    return [
      ...ofOtherPlaces(study),
      ...ofOtherSlopes(study),
      ...ofCoarseTables(study),
      ...ofCodes(study),
      ...(table ? [entriesChange(study, table)] : ofFewBits(study)),
      ...(isTable(study) ? [] : insteadOf(study)),
    ];
  },

  evidence: (found) => ({ deciding: decidingValue(found) }),

  words: told(
    runtimeForm(
      (e: CauseEvidence['table-entry']) => {
        if (e.rows !== undefined) return `rows of a table read otherwise: ${e.rows}`;
        if (e.function === ITSELF) return 'the layer is left out';
        if (e.function !== undefined) return `another function: ${printable(e.function)}`;
        if (e.times === -1) return 'every value has the other sign';
        if (isOfConstant(e)) return `${constantText(e)} what the file gives`;
        if (e.read_before !== undefined) return `table read ${placesText(e.read_before)} each code`;
        if (e.differing === undefined) return 'a function of codes made in another way';
        return e.differing === 1 ? 'one entry of the table differs' : `${e.differing} entries of the table differ`;
      },
      (e) =>
        e.rows !== undefined
          ? 'Rows are found by their index, and each has a scale and a zero point of its own.'
          : e.read_before !== undefined
            ? `Every code is given the output of the code ${placesText(e.read_before)} it${e.around ? ', around the ends of the table' : ''}.`
            : isOfConstant(e)
              ? `Every value is ${constantText(e)} what the file gives: a constant of the layer is another, is used twice or not at all.`
              : e.function === undefined
                ? 'Entries of the table, or the fixed point in its place, are made otherwise, so that single codes differ.'
                : e.function === ITSELF
                  ? 'Every value is its input, as it is.'
                  : `Every value is that of ${printable(e.function)}, where the file has another function.`,
      (e, context) => [
        ...(e.entries ?? []).map((entry) => `code ${entry.code}: declared ${entry.declared}, found ${entry.found}`),
        decidingSentence(e.deciding, context),
      ],
    ),
  ),
};

type Words = CauseWords<CauseEvidence['table-entry']>;

/** By the kernel's own steps. */
function ofAttributes(name: string, attributes: unknown): TensorChange {
  return {
    cause: 'table-entry',
    coordinate: 'weights',
    freedom: FREEDOM.none,
    label: name,
    found: { function: name, floats: true },
    apply: (setup) => withParams(setup, { attributes }),
  };
}

/** In place of another function: the op's own. */
function told(form: Words): Words {
  const ownOf = ({ function: name }: Partial<CauseEvidence['table-entry']>, { subject, op, attributes }: FixContext) =>
    name !== undefined && subject === 'candidate' ? inNumpy(op, attributes) : null;
  return {
    ...form,
    fix(e, context) {
      if (e.rows !== undefined && context.subject === 'candidate')
        return 'look up row index[i] of the table, and take (q - zero_point[row]) * scale[row] of its codes';
      if (e.read_before !== undefined && context.subject === 'candidate')
        return 'give the lowest code the first entry: table[code - lowest code]';
      if (isOfConstant(e) && context.subject === 'candidate')
        return `check the constants of ${printable(context.layer)}: its values are ${constantText(e)} what the file gives`;
      const own = ownOf(e, context);
      return own === null ? form.fix(e, context) : `compute ${context.op} of the real values: ${own}`;
    },
    code(e, context) {
      const own = ownOf(e, context);
      if (e.floats && own !== null) return [numpy(`y = ${own}`)];
      if (own === null) return form.code?.(e, context) ?? [];
      return [
        numpy('x = x_scale * (x.astype(np.int32) - x_zero_point)'),
        numpy(`q = np.rint((${own}) / y_scale) + y_zero_point`),
      ];
    },
  };
}

function isOfConstant({ times, plus }: Partial<CauseEvidence['table-entry']>): boolean {
  return times !== undefined || plus !== undefined;
}

function constantText({ times, plus }: Partial<CauseEvidence['table-entry']>): string {
  if (times !== undefined) return `${times} times`;
  return plus! < 0 ? `${-plus!} less than` : `${plus} more than`;
}

function isTable(study: TensorStudy): boolean {
  return formOf(study)?.is === 'table';
}

function isLookup({ data: { op } }: TensorStudy): boolean {
  return op === 'embedding' || op === 'embedding_bag';
}

function placesText(before: number): string {
  const n = Math.abs(before);
  return `${n} ${n === 1 ? 'place' : 'places'} ${before > 0 ? 'before' : 'behind'}`;
}

/** Further away it is another zero point. */
const MOST_OFF = 8;

/** Its index is off; beyond the ends stands the last entry, or the other end. */
function ofOtherPlaces(study: TensorStudy): TensorChange[] {
  const near = shiftsOf(study).filter(({ by }) => Math.abs(by) <= MOST_OFF);
  return near.map((shift) => ({
    cause: 'table-entry',
    coordinate: 'x',
    freedom: FREEDOM.oneNumber,
    label: `${shift.by}${shift.round ? ' around' : ''}`,
    found: { read_before: shift.by, ...(shift.round && { around: true as const }) },
    apply: (setup) => readAs(setup, mapOf(shift, inputOf(study.declared) as QuantParams)),
  }));
}

function ofCoarseTables(study: TensorStudy): TensorChange[] {
  const coarse = coarseTableOf(study);
  if (!coarse) return [];
  const { name, apply } = coarse;
  return scriptsOf(study, name, apply).map((steps) =>
    stepsChange('table-entry', 'multiplier', steps, { function: name }),
  );
}

function ofCodes(study: TensorStudy): TensorChange[] {
  const curve = curveOfCodes(study);
  return curve ? [stepsChange('table-entry', 'multiplier', curve[1], { function: curve[0] })] : [];
}

/** By the kernel's own steps. */
function ofOtherSlopes(study: TensorStudy): TensorChange[] {
  const { data, declared } = study;
  const own = data.op === 'leaky_relu' ? 'negativeSlope' : 'alpha';
  return slopesOf(study).map((slope) => ({
    cause: 'table-entry',
    coordinate: 'weights',
    freedom: FREEDOM.oneNumber,
    label: `slope ${slope}`,
    found: { function: `${data.op} of ${slope}` },
    apply: (setup) => withParams(setup, { attributes: { ...(declared.params.attributes as object), [own]: slope } }),
  }));
}

/** By the kernel's own steps, of slopes that are a value of their own. */
function ofSlopesReadOtherwise({ declared }: TensorStudy): TensorChange[] {
  const slopes = inputOf(declared, 1);
  if (!isQuantized(slopes)) return [];
  const { zeroPoint } = slopes;
  const change = (name: string, apply: CodeMap['apply']): TensorChange => ({
    cause: 'table-entry',
    coordinate: 'x',
    input: 1,
    freedom: FREEDOM.none,
    label: name,
    found: { function: name },
    apply: (setup) => readAs(setup, { name, apply }, 1),
  });
  return [change('relu', () => zeroPoint), change('x < 0 ? -a * x : x', (code) => 2 * zeroPoint - code)];
}

/** Softmax, norms, PReLU: other functions of them have names. */
function isOfRows(study: TensorStudy): boolean {
  if (!isQuantized(study.declared.params.output)) return true;
  const { others, alone } = formOf(study) ?? {};
  return (others ?? alone) !== undefined && !ofWindows(study);
}

/** Of so many tables, or norms with another eps, one gives a value or two by chance. */
const FEWEST = 4;

function functionsOf(study: TensorStudy): ReturnType<typeof scriptsOfFunctions> {
  if (!isTable(study) && !hasCases(study as Study, FEWEST)) return [];
  return namedFunctions(study, 'others');
}

function namedFunctions(study: TensorStudy, which: 'others' | 'alone'): ReturnType<typeof scriptsOfFunctions> {
  const ofCodes = isQuantized(study.declared.params.output);
  return ofCodes ? scriptsOfFunctions(study, which) : functionsOfFloats(study, which);
}

/** Another operator, or one that comes before or after its neighbour. */
function insteadOf(study: TensorStudy): TensorChange[] {
  if (!hasCases(study as Study, FEWEST)) return [];
  const floats = isQuantized(study.declared.params.output) ? {} : { floats: true as const };
  return namedFunctions(study, 'alone').map(([name, steps]) =>
    stepsChange('table-entry', 'multiplier', steps, { function: name, ...floats }),
  );
}

function ofFewBits(study: TensorStudy): TensorChange[] {
  if (!hasCases(study as Study, FEWEST)) return [];
  return scriptsOfTables(study).map(([name, steps]) =>
    stepsChange('table-entry', 'multiplier', steps, { function: name }),
  );
}

/** Null where an input code has two outputs, or too few of those that differ are there. */
function tableOf({ subset, differing }: TensorStudy): ReadonlyMap<number, number> | null {
  const table = new Map<number, number>();
  const seen = new Map<number, number>();
  const [{ data }] = subset.inputs;
  for (let i = 0; i < data.length; i++) {
    const entry = table.get(data[i]);
    if (entry !== undefined && entry !== subset.observed[i]) return null;
    table.set(data[i], subset.observed[i]);
    if (differing[i]) seen.set(data[i], (seen.get(data[i]) ?? 0) + 1);
  }
  const counts = [...seen.values()];
  const rare = sumOf(counts.filter((count) => count < FEWEST_EACH));
  const isEnough = rare * ONE_RARE_OF <= sumOf(counts) && sumOf(counts) - counts.length >= FEWEST_AGAIN;
  return isEnough && table.size >= FEWEST_MET ? table : null;
}

function entriesChange(study: TensorStudy, table: ReadonlyMap<number, number>): TensorChange {
  const declared = study.values(study.declared);
  const [{ data }] = study.subset.inputs;
  const entries = new Map<number, { code: number; declared: number; found: number }>();
  for (let i = 0; i < data.length; i++) {
    const found = table.get(data[i])!;
    if (declared[i] !== found) entries.set(data[i], { code: data[i], declared: declared[i], found });
  }
  const all = [...entries.values()].sort((a, b) => a.code - b.code);
  const own = study.declared.steps;
  const steps: TensorSteps = {
    kind: 'tensor',
    equation: 'a table',
    run(call) {
      const computed = own.run(call);
      const codes = 'data' in computed ? computed.data : computed;
      return int32s(call.inputs[0].data, (code, i) => table.get(code) ?? codes[i]);
    },
  };
  return {
    ...stepsChange('table-entry', 'multiplier', steps),
    freedom: FREEDOM.numberPerChannel,
    tiny: all.length > FEW_ENTRIES,
    found: { entries: all.slice(0, MOST_SHOWN), differing: all.length },
  };
}
