/** What a cause's words are, and what they may need to know. */
import type { Producer } from '../../nouns/model.js';
import type { DiagnosisReport } from '../../nouns/report.js';
import type { Evidence } from '../finding/evidence.js';

type Subject = DiagnosisReport['subject'];

/** What a sentence about one cause of one layer may need to know. */
export interface FindingContext {
  readonly layer: string;
  readonly op: string;
  readonly subject: Subject;
  /** Who computed the capture, as people call it; absent or null: nothing says so. */
  readonly framework?: string | null;
  /** The kernel replayed as the reference. */
  readonly declaredKernel: string;
  /** The kernel that explains the layer; null where the causes are nobody's kernel. */
  readonly foundKernel: string | null;
  /** Every kernel that explains all. */
  readonly explainedBy: readonly string[];
  readonly evidence: Evidence;
}

export interface FixContext extends FindingContext {
  readonly producer: Producer;
  /** The values that the layer reads. */
  readonly reads?: readonly string[];
  /** The layer quantizes its own input. */
  readonly dynamic: boolean;
  /** Of a dynamic layer: what the file has to say for the found kernel, where that is not what it says. */
  readonly reduceRange?: boolean;
  /** Of an op on whole values: its numbers. */
  readonly attributes?: unknown;
  /** The layer makes codes of floats. */
  readonly quantizes: boolean;
  /** It reads int8 codes. */
  readonly signed?: boolean;
  /** Of a candidate: what the other side's own finding is. */
  readonly met?: { readonly causes: readonly string[]; readonly evidence: Evidence };
}

export type SentenceContext = Pick<FindingContext, 'subject' | 'declaredKernel' | 'framework'>;

/** Methods, so that a cause stands where any may. */
interface Told<E> {
  words(e: Partial<E>): string;
}

/** A fix as a line to paste. */
export interface Snippet {
  /** Where it goes: "numpy", "RTL", "model.json, layer fc1". */
  readonly where: string;
  readonly language: 'python' | 'json' | 'c' | 'verilog' | 'shell';
  /** One line. */
  readonly text: string;
}

/** All words about one cause. `e` is `{}` where the diagnosis brought no evidence for it. */
export interface CauseWords<E> {
  /** Noun phrase, to be joined by "and". */
  readonly title: string | Told<E>['words'];
  readonly explanation: string | Told<E>['words'];
  /** A wrong number, order or row: its evidence belongs to one layer. Others are a step that a whole runtime does its way. */
  readonly ofOneLayer?: true;
  /** What can be checked by hand, most telling first. */
  evidence?(e: Partial<E>, context: SentenceContext): (string | null)[];
  /** What to change, by whose departure it is; null: nothing to change there. */
  fix(e: Partial<E>, context: FixContext): string | null;
  /** The same as lines to paste, where it can be written so. */
  code?(e: Partial<E>, context: FixContext): readonly Snippet[];
}
