/**
 * The evidence of a diagnosis: data that a person can check by hand, one record a cause, keyed by its code.
 * It goes into the JSON report as it is (hence snake_case). A cause's file declares its own record and words it; here are those
 * of names that are no change.
 * Everything optional is left out where it is not known; nothing here is ever null.
 *
 * "Judged side": the capture, or the candidate where `diagnosis.subject` is `candidate`.
 */
import type {
  DecidingValue,
  Formulas,
  NotFiniteValue,
  OtherAxes,
  OtherOperand,
  RuntimeForm,
  SomeChannels,
} from './evidenceParts.js';

export type * from './evidenceParts.js';

export interface CauseEvidence {
  inherited: SomeChannels & { readonly from?: string };
  /** or: what gives every value as well. */
  /** state: what the judged side does with it. */
  'state-between-calls': SomeChannels & RuntimeForm & { readonly state?: 'kept' | 'anew' };
  /** samples: how many of a call take a range together, where threads that share it are what differs. */
  'run-settings': SomeChannels & RuntimeForm & { readonly samples?: number };
  'operand-wrong': SomeChannels &
    OtherOperand & { readonly deciding?: DecidingValue; readonly or?: readonly OtherOperand[] };
  'axis-wrong': SomeChannels & OtherAxes & { readonly deciding?: DecidingValue; readonly or?: readonly OtherAxes[] };
  /** The right values in other places: the rule, the line of numpy that undoes it, and the shape that the file says. */
  'output-order': SomeChannels & {
    readonly order?: string;
    /** What it has in common with that of layers of other sizes. */
    readonly rule?: string;
    readonly numpy?: string;
    readonly dims?: readonly number[];
    readonly channel_axis?: number;
    /** Values that are of no place, as those at the end of a move: nothing is known of them. */
    readonly unknown?: number;
    /** Put back, they are not all right either. */
    readonly beside?: true;
  };
  'memory-reused': SomeChannels & {
    /** Whose bytes stand in the value's place, `distance` bytes further on in theirs. */
    readonly over?: readonly { readonly layer: string; readonly distance: number }[];
    /** Values that no layer's bytes explain. */
    readonly left?: number;
    /** What the layer read in time; its own values are right. */
    readonly input?: string;
  };
  'steps-fused': SomeChannels & { readonly declared?: string; readonly found?: string };
  unexplained: SomeChannels & {
    /** The hypothesis that leaves the fewest values. */
    readonly nearest?: {
      readonly causes: readonly string[];
      readonly kernel: string | null;
      readonly explained: number;
      readonly of: number;
      readonly lost: number;
    };
    /** The one value that all are, where the replay has several: nothing was tried. */
    readonly constant?: number;
    /** The values that hold NaN or infinity: nothing was tried. */
    readonly not_finite?: readonly NotFiniteValue[];
    /** Values that are no codes of the output, of those that were looked at; and what all of them are, where that is known. */
    readonly no_codes?: {
      readonly values: number;
      readonly of: number;
      readonly range: readonly [number, number];
      readonly furthest: number;
      readonly are?: 'sums' | 'sums-and-bias';
    };
    /** The sums all the same, of which a byte was kept. */
    readonly bytes_of_sums?: { readonly are: 'sums' | 'sums-and-bias'; readonly kept: 'low 8 bits' | 'clamped' };
    /** About how many samples it would take to tell whether the weights of this channel are others. */
    readonly would_take?: { readonly channel: number; readonly samples: number };
    /** How many hypotheses were replayed or refuted. */
    readonly hypotheses?: number;
    /** The search ended before all were tried. */
    readonly out_of_time?: boolean;
    /** Layers before it have taken what the searches of a run may. */
    readonly cut_short?: boolean;
  };
}

export type CauseCode = keyof CauseEvidence;

/** What a diagnosis as a whole rests on. */
interface Basis {
  /** Samples compared in this layer. */
  readonly samples?: number;
  /** Places of all their images, where each has many: they tell as much as rows do. */
  readonly places?: number;
  /** Pairs that leave int16 in this layer, where the capture could have come from a saturating kernel: 0 says that reduce_range will not help. */
  readonly saturating_pairs?: number;
  /** The layer that departs, where it is one before this one, whose values nobody has. */
  readonly in?: string;
  /** It and every layer from it to this one do the same. */
  readonly throughout?: true;
  /** The layer that shows it, where this one's own differing values are too few to. */
  readonly shown_by?: {
    readonly layer: string;
    readonly values: number;
    readonly of: number;
    /** So many show it together: one rule gives the numbers of each. */
    readonly layers?: number;
  };
  /** Of the causes of a wrong model file: those that are the capture's own steps. */
  readonly of_capture?: readonly string[];
  /** Where integer sums are requantized to codes. */
  readonly formula?: Formulas;
}

/** One record for each of `diagnosis.causes`, and the basis. */
export type Evidence = { readonly [C in CauseCode]?: CauseEvidence[C] } & { readonly basis?: Basis };
