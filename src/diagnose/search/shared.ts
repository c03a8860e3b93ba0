/** Numbers that layers have in common: a layer's output scale is the input scale of all that read it. */
import type { Layer } from '../../nouns/model.js';
import type { QuantParams } from '../../nouns/value.js';
import type { CauseCode, CauseEvidence, FoundParameter } from '../finding/evidence.js';
import { type Change, FREEDOM, withInput, withOutput } from '../setup.js';

/** A number of the file that a layer's diagnosis has found to be another: its readers share it. */
interface SharedNumber {
  readonly cause: CauseCode;
  readonly from: string;
  readonly params: Partial<QuantParams>;
  readonly found: Pick<FoundParameter, 'declared' | 'found' | 'interval'>;
}

type Found = FoundParameter & CauseEvidence['output-scale-wrong'];

export class SharedNumbers {
  private readonly byValue = new Map<string, readonly SharedNumber[]>();

  /** What a layer has proven of its own values' numbers. */
  remember(layer: Layer, { cause, found, input = 0 }: Change): void {
    const { declared, found: value, same_as, interval, shift } = (found ?? {}) as Partial<Found>;
    if (typeof declared !== 'number' || typeof value !== 'number' || same_as !== undefined) return;
    if (shift !== undefined) return; // a layer's own mistake
    const number = { cause, from: layer.name, found: { declared, found: value, ...(interval ? { interval } : {}) } };
    if (cause === 'output-scale-wrong') this.add(layer.name, { ...number, params: { scale: value } });
    if (cause === 'output-zero-point-wrong') this.add(layer.name, { ...number, params: { zeroPoint: value } });
    if (cause === 'input-scale-wrong') this.add(layer.inputs[input], { ...number, params: { scale: value } });
    if (cause === 'input-zero-point-wrong') this.add(layer.inputs[input], { ...number, params: { zeroPoint: value } });
  }

  /** A value that has another's numbers. */
  pass(from: string, to: string): void {
    const numbers = this.byValue.get(from);
    if (numbers) this.byValue.set(to, numbers);
  }

  /** As changes of a layer that reads such values; `kept`: its output has its input's numbers. */
  changesOf({ inputs }: Layer, kept: boolean): Change[] {
    return inputs.flatMap((value, input) =>
      (this.byValue.get(value) ?? []).map(
        (number): Change => ({
          cause: number.cause,
          coordinate: number.params.scale === undefined ? 'x_zero_point' : 'x_scale',
          input,
          freedom: FREEDOM.none,
          label: `as ${number.from}`,
          found: { ...number.found, same_as: number.from },
          apply: (setup) => {
            const changed = withInput(setup, number.params, input);
            return kept ? withOutput(changed, number.params) : changed;
          },
        }),
      ),
    );
  }

  private add(value: string, number: SharedNumber): void {
    this.byValue.set(value, [...(this.byValue.get(value) ?? []), number]);
  }
}
