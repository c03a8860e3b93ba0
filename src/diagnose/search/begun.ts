/** The search of a layer on an input that is less likely, as far as single causes: what is to be known before two are sought on another. */
import type { LayerCase, LayerDiagnosis } from '../finding/explanation.js';
import { type Change, FREEDOM } from '../setup.js';
import type { Work } from '../study/work.js';
import { diagnoseLayer } from './layer.js';

export class Begun {
  /** Whether one cause gives all of its values, by one number at most: no pair on a likelier input is believed before that. */
  readonly isOfOne: Promise<boolean>;
  private readonly found: Promise<LayerDiagnosis>;
  private goOn = () => {};
  private isNear = false;

  constructor(
    layer: LayerCase,
    private readonly work: Work,
  ) {
    const mayGoOn = new Promise<void>((resolve) => {
      this.goOn = resolve;
    });
    let stop = () => {};
    const stopped = new Promise<null>((resolve) => {
      stop = () => resolve(null);
    });
    const isElsewhere = async (isNear: boolean) => {
      this.isNear = isNear;
      stop();
      await mayGoOn;
      return (await layer.isElsewhere?.(isNear)) ?? false;
    };
    const endWithin = work.beginWithin();
    this.found = diagnoseLayer({ ...layer, isElsewhere });
    this.isOfOne = Promise.race([this.found, stopped]).then((found) => {
      endWithin();
      return found !== null && isPlain(found.changes);
    });
  }

  /** The same of several at once, where sums were met from which its values may follow: what reads noise is sought after that. */
  async isOfSeveral(): Promise<boolean> {
    if (!this.isNear) return false;
    const endWithin = this.work.beginWithin();
    const { changes } = await this.all();
    endWithin();
    return isPlain(changes);
  }

  /** All that the search finds. */
  all(): Promise<LayerDiagnosis> {
    this.goOn();
    return this.found;
  }
}

function isPlain(changes: readonly Change[]): boolean {
  const isOf = ({ tiny, freedom, coordinate }: Change) =>
    !tiny && (freedom <= FREEDOM.oneNumber || coordinate === 'rows');
  return changes.length > 0 && changes.every(isOf);
}
