/** A layer that is named without the search: what its report says. */
import type { CauseCode, Evidence } from '../../diagnose/finding/evidence.js';
import { fixed } from '../../diagnose/finding/fixed.js';
import { frameworkName, frameworkOf } from '../../diagnose/finding/frameworks.js';
import { codeFor, fixFor } from '../../diagnose/finding/sentences.js';
import type { Producer } from '../../nouns/model.js';
import type { DiagnosisReport, LayerReport } from '../../nouns/report.js';

interface Named extends Pick<DiagnosisReport, 'subject' | 'explained' | 'of' | 'rehearsal'> {
  readonly layer: Pick<LayerReport, 'name' | 'op'>;
  readonly producer: Producer;
  readonly declaredKernel: string;
  readonly kernel: string;
  readonly explainedBy: readonly string[];
  readonly causes: readonly CauseCode[];
  readonly evidence: Evidence;
  /** It chooses the scales of what it reads. */
  readonly dynamic?: boolean;
  /** Whether there is something to change. */
  readonly hasFix: boolean;
}

export function named(one: Named): DiagnosisReport {
  const { layer, subject, producer, declaredKernel, kernel, explainedBy, causes, evidence, rehearsal } = one;
  const context = {
    layer: layer.name,
    op: layer.op,
    subject,
    framework: frameworkName(frameworkOf(producer)),
    declaredKernel,
    foundKernel: kernel,
    explainedBy,
    evidence,
    producer,
    dynamic: one.dynamic === true,
    quantizes: false,
  };
  // what was rehearsed undoes all of them
  const isWhole = causes.every((cause) => fixFor([cause], context) !== null);
  const text = one.hasFix && isWhole ? fixFor(causes, context) : null;
  const code = codeFor(causes, context);
  return {
    causes: [...causes],
    subject,
    kernel,
    explained: one.explained,
    of: one.of,
    lost: 0,
    explained_by: [...explainedBy],
    indistinguishable: [],
    evidence: { ...evidence },
    ...fixed(text === null ? [] : [{ subject, text, rehearsal, ...(code.length > 0 && { code }) }]),
  };
}
