/** What was found of each layer, however often it is asked for. */
import type { LayerDiagnosis } from '../finding/explanation.js';
import type { Side } from '../study/data.js';

interface Answer {
  readonly diagnosis: LayerDiagnosis;
  readonly took: number;
}

/** What was found of each layer asked for, and what that took: a shard compares the whole once more for its answers. */
export type Searched = Map<string, Answer>;

/** A layer is asked for on each input that it may have read, one after the other. */
export class Answers {
  private readonly asked = new Map<string, number>();

  constructor(
    private readonly side: Side,
    private readonly known: Searched,
  ) {}

  /** To the next time it is asked for. */
  async of(layer: string, search: () => Promise<Answer>): Promise<Answer> {
    const times = this.asked.get(layer) ?? 0;
    this.asked.set(layer, times + 1);
    const answer = this.known.get(this.keyOf(layer, times)) ?? (await search());
    this.set(layer, times, answer);
    return answer;
  }

  set(layer: string, times: number, { diagnosis, took }: Answer): void {
    this.known.set(this.keyOf(layer, times), { diagnosis, took });
  }

  /** It is asked for from the first input on. */
  restart(layer: string): void {
    this.asked.delete(layer);
  }

  /** It is searched anew. */
  forget(layer: string): void {
    for (let times = this.asked.get(layer) ?? 0; times > 0; times--) this.known.delete(this.keyOf(layer, times - 1));
    this.restart(layer);
  }

  private keyOf(layer: string, times: number): string {
    return `${this.side} ${times} ${layer}`;
  }
}
