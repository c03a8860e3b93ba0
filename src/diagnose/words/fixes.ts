/** Parts of fixes that several causes share. */

import { kernelNamed } from '../../kernels/named.js';
import { precise, printable } from '../../text.js';
import type { FoundParameter, Permutation } from '../finding/evidence.js';
import { mayRun } from '../finding/frameworks.js';
import type { CauseWords, FindingContext, FixContext, Snippet } from './causeWords.js';
import { codeOf, inOrder, modelLine, producerLine } from './code.js';
import { fileOf, holder, permutationSentence } from './parts.js';

export const field = (context: FindingContext, name: string): string => `${name} of ${printable(context.layer)}`;

/** The capture is another kernel's than the file declares: name one that its framework has, or leave it. */
export function declareKernel(context: FixContext): string | null {
  const [kernel] = possibleKernels(context);
  if (kernel === undefined) return null;
  return [declaredAs(kernel, context), reduceRangeFix(context)].filter((text) => text !== null).join(', and ');
}

function possibleKernels({ declaredKernel, foundKernel, explainedBy, framework }: FixContext): string[] {
  return [foundKernel, ...explainedBy].filter(
    (name) => name !== null && name !== declaredKernel && mayRun(framework, name),
  ) as string[];
}

/** The same as lines of model.json. */
export function declareCode(context: FixContext): Snippet[] {
  const [kernel] = possibleKernels(context);
  if (kernel === undefined) return [];
  return [...(kernelNamed(kernel)?.runWith ? [] : [producerLine(kernel)]), ...reduceRangeCode(context)];
}

export function reduceRangeCode(context: FixContext): Snippet[] {
  const { reduceRange } = context;
  return reduceRange === undefined ? [] : [modelLine(context, { reduce_range: reduceRange })];
}

/** For kernel steps: of a candidate those that are told, else the kernel to declare. */
export function stepLines(candidate: readonly Snippet[] = []): CauseWords<unknown>['code'] {
  return (_, context) => (context.subject === 'candidate' ? candidate : declareCode(context));
}

/** The line for model.json. */
function declaredAs(
  kernel: string,
  { declaredKernel, framework, producer }: Pick<FixContext, 'declaredKernel' | 'framework' | 'producer'>,
): string {
  const name = printable(kernel);
  const inCapture = producer.file || kernelNamed(kernel)?.runWith;
  const where = inCapture ? "the capture's producer" : 'the producer of model.json';
  return `${framework ?? 'the capture'} computes as ${name} does, not ${printable(declaredKernel)}: write "kernel": "${name}" into ${where}, or pass --kernel ${name}`;
}

/** Where the kernel reads reduce_range, and the file says the other. */
export function reduceRangeFix(context: FixContext): string | null {
  const { reduceRange, layer } = context;
  if (reduceRange === undefined) return null;
  return `write "reduce_range": ${reduceRange} for ${printable(layer)} in ${fileOf(context)}: the capture was computed with it`;
}

/** What a runtime's own form of an op does, as a whole. */
export function runtimeForm<E extends { declared?: string; found?: string }>(
  title: CauseWords<E>['title'],
  explanation: CauseWords<E>['explanation'],
  own: NonNullable<CauseWords<E>['evidence']> = () => [],
): CauseWords<E> {
  return {
    title,
    explanation,
    evidence: (e, context) => [
      e.found === undefined ? null : `${holder(context)}: ${printable(e.found)}`,
      e.declared === undefined ? null : `${printable(context.declaredKernel)}: ${printable(e.declared)}`,
      ...own(e, context),
    ],
    fix: (e, context) =>
      context.subject !== 'candidate'
        ? declareKernel(context)
        : `compute it as ${printable(context.declaredKernel)} does` +
          (e.declared === undefined ? '' : `: ${printable(e.declared)}`),
    code: (_, context) => (context.subject === 'candidate' ? [] : declareCode(context)),
  };
}

/** For kernel steps: PyTorch's are declared, the user's are corrected. */
export function stepFix(candidate: string | ((context: FixContext) => string)): CauseWords<unknown>['fix'] {
  return (_, context) => {
    if (context.subject !== 'candidate') return declareKernel(context);
    return typeof candidate === 'string' ? candidate : candidate(context);
  };
}

/** For parameters: the file is corrected, or the implementation. */
export function parameterFix(file: (context: FixContext) => string, candidate: string): CauseWords<unknown>['fix'] {
  return (_, context) => (context.subject === 'candidate' ? candidate : file(context));
}

/** Where the file's number is wrong and the data gave another. */
export function foundFix(name: string): (e: Partial<FoundParameter>, context: FixContext) => string {
  return (e, context) => {
    if (context.subject === 'candidate') {
      return e.declared === undefined ? `use the declared ${name}` : `use the declared ${name} ${precise(e.declared)}`;
    }
    if (e.same_as !== undefined) return `it is the same number as ${printable(e.same_as)}'s: correct it there`;
    const value = e.found === undefined ? '' : ` (${precise(e.found)} explains the capture)`;
    return `correct ${field(context, name)} in ${fileOf(context)}${value}: export the model again together with the capture`;
  };
}

/** What belongs to the output channels stands in another order. */
export function channelOrder<E extends Permutation>(
  what: (e: Partial<E>) => string,
  name: string,
  candidate: readonly Snippet[],
): CauseWords<E> {
  return {
    title: (e) => `${what(e)} in another order`,
    explanation: (e) => `Channels use each other's ${what(e)}.`,
    ofOneLayer: true,
    evidence: (e) => [permutationSentence('channel', e)],
    fix: (e, context) =>
      context.subject === 'candidate'
        ? `index the ${what(e)} by output channel, from 0`
        : `put ${field(context, name)} into the order of the output channels`,
    code: (e, context) => codeOf(candidate, () => inOrder(name, e))(context),
  };
}
