/** What a search does, in about nanoseconds: as measured of small layers of noise. */
export const COST = {
  search: 1e7,
  tried: 4e4,
  estimate: 4e4,
  estimatedValue: 4,
  sums: 2e4,
  call: 2e3,
  input: 1e3,
  channel: 60,
  /** Of so many channels that their numbers leave the cache: 300 ns each, of a million. */
  farChannel: 240,
  residual: 40,
  patches: 8e4,
  group: 4e3,
  value: 80,
  /** Of a matrix, or of what an op says takes as long. */
  term: 3,
  dynamicValue: 150,
  multiplyAdd: 2,
  weight: 10,
  readWeight: 5,
  floatAdd: 50,
  /** Of rows in another order, and of what one accumulator carries from output to output. */
  sortedValue: 60,
  streams: 1.2e5,
};

/** Of files of up to so many values, which take as long as small ones; of larger ones as many times more. */
const SMALL = 1e6;
/** What is spent on layers that are sought again beside what others do. */
const AGAIN = 5e8;
/** What is spent on layers before one, from which on two causes at once are not sought in it. */
const SINGLES_ONLY = 1.5e8;
/**
 * What is spent on two causes at once by one search, and by all of a layer, a capture's or a candidate's, where any step is possible. Of noise no
 * sums are met from which it follows: until they are, the last pair that the tests have is found by 1.5e8 in a capture and by 2.1e8 in a
 * candidate, and then by 3.6e8 and 5.5e8.
 */
const LIMITS = {
  capture: { noise: [1.7e8, 1.8e8], other: [4e8, 4.5e8] },
  candidate: { noise: [2.3e8, 2.8e8], other: [5.6e8, 5.9e8] },
} as const;
/** Where the declared kernel sums floats, whose exact sums and bounds every try takes anew. */
const OF_FLOATS = 1.5;
/** What single causes of one search take at most, beyond those that any layer has: of a value joined of 1000 there are thousands. */
const SINGLES = 6e8;
const OF_ANY_LAYER = 400;
/** And those, with all that a search takes: of a pool with 4 million windows each takes a third of a second, of a million channels as long. */
const MOST_SINGLES = 2.5e9;
/** What rows in another order take beside one change each, of which there are a thousand: 0.7 s of a layer of 500 rows of noise. */
const ARRANGED = 1.5e8;
/** Once two at once were given up: on layers in which one is sought, before nothing is sought at all. */
const ON_SINGLES = 1e8;

/**
 * And by layers before one, explained or not, after which two causes are not sought: a dozen that each do two other things take as long as one
 * of them a dozen times. Networks with several mistakes in several layers take up to 2.9e9 with their last.
 */
const IN_ALL = 2.5e9;

/**
 * And after which what several of them show is tried before all else, and nothing more where it gives every value: what else would, those layers
 * tell. Of 300 layers that each do one of five things all single causes took 8 s.
 */
const AS_SEVERAL = 3e8;

/** What is spent on other operands of all layers: thousands of layers would try thousands of values each. */
const ON_OTHERS = 1e8;

/** And on what layers may do that nobody saw: each time the layers after it are replayed, which takes as long for a few samples as for one. */
const ON_UNSEEN = 7e8;
const UNSEEN = { layer: 1.5e6, multiplyAdd: 0.2, asked: 8e3 };

/**
 * What the searches of one side of a run that explain nothing take in all, so that twenty layers of noise do not take twenty times as long as one. Counted, and
 * never by a clock: the same input gives the same answer on every machine, and in every shard.
 */
export class Work {
  private spent = 0;
  /** By all searches, whatever they found. */
  private all = 0;
  private readonly scale: number;
  private readonly ofLayers: number;
  /** What was spent when the layer, and the search, began. */
  private atLayer = 0;
  private allAtLayer = 0;
  private atSearch = 0;
  private atSingles = 0;
  /** By searches within it. */
  private within = 0;
  /** And when two causes at once were given up. */
  private atShort: number | null = null;
  private isSearching = false;
  private onOthers = 0;
  private onUnseen = 0;

  /**
   * @param values of the files; without it there is no end
   * @param largest values of the largest layer: of a network's noise a layer or two are searched for all, not dozens
   */
  constructor(
    private readonly side: keyof typeof LIMITS = 'candidate',
    private readonly values = Number.POSITIVE_INFINITY,
    private readonly largest = values,
  ) {
    this.scale = Math.max(1, values / SMALL);
    this.ofLayers = Math.max(1, largest / SMALL);
  }

  /** For the same files, with nothing spent. */
  anew(): Work {
    return new Work(this.side, this.values, this.largest);
  }

  /** What took it is explained by now. */
  renew(): void {
    this.spent = 0;
    this.atShort = null;
  }

  /** A layer may be searched several times: on what else it may have read, and for what layers before it do that nobody saw. */
  beginLayer(): void {
    this.atLayer = this.spent;
    this.allAtLayer = this.all;
    if (this.isShort) this.atShort ??= this.spent;
  }

  /** What explains its layer in the end counts nothing, be it on the last of several inputs. share: of what was spent on it, that is kept. */
  endLayer(share: number): void {
    this.spent = this.atLayer + share * (this.spent - this.atLayer);
  }

  /** What a layer took in vain, before another search of it that may take as much: to be spent again when that is over. */
  setAside(): number {
    const took = this.spent - this.atLayer;
    this.spent = this.atLayer;
    return took;
  }

  beginSearch(): void {
    this.atSearch = this.spent;
    this.within = 0;
    this.isSearching = true;
    this.beginSingles();
    this.spent += COST.search;
  }

  beginSingles(): void {
    this.atSingles = this.spent;
  }

  add(nanoseconds: number): void {
    if (!this.isSearching) return;
    this.spent += nanoseconds;
    this.all += nanoseconds;
  }

  /** @returns what it took. What explains its layer counts nothing, be there hundreds: that is what a run is for. */
  endSearch(isExplained: boolean): number {
    const before = this.atSearch - this.within;
    const took = isExplained ? 0 : this.spent - before;
    this.spent = before;
    this.isSearching = false;
    return took;
  }

  /** What a search took, now or when the same was searched before. */
  spend(nanoseconds: number): void {
    this.spent += nanoseconds;
  }

  /**
   * Does what has an end of its own, which leaves what comes after it as much as it had.
   * @param so whether so many nanoseconds of it are left
   */
  beside(nanoseconds: number, so: (mayGoOn: () => boolean) => void): void {
    const { spent, all } = this;
    so(() => this.all - all <= nanoseconds);
    this.spent = spent;
  }

  /** A search inside another, of the same layer: the limits of either are its own, and the other answers for both. @returns what ends it */
  beginWithin(): () => void {
    const { spent, atSearch, atSingles } = this;
    this.atSearch = spent;
    this.beginSingles();
    return () => {
      const took = this.spent - spent;
      this.within += took;
      this.atSearch = atSearch + took;
      this.atSingles = atSingles + took;
    };
  }

  /** Layers before have taken what there is: not all hypotheses are tried. */
  get isShort(): boolean {
    return this.isSpentInAll || this.atLayer > SINGLES_ONLY * this.ofLayers;
  }

  /** Whatever is explained by now: nothing is left for two causes at once. */
  get isSpentInAll(): boolean {
    return this.allAtLayer > IN_ALL * this.scale;
  }

  /** Whatever is explained by now: what several layers show comes first. */
  get isLate(): boolean {
    return this.allAtLayer > AS_SEVERAL * this.scale;
  }

  /** No second cause is sought beside one. times: as much as a search may take elsewhere. */
  endsPairs(hasMetSums: boolean, times = 1): boolean {
    const { spent, atSearch, atLayer } = this;
    const scale = times * this.scale;
    const [ofSearch, ofLayer] = LIMITS[this.side][hasMetSums ? 'other' : 'noise'];
    return this.isShort || spent - atSearch > ofSearch * scale || spent - atLayer > ofLayer * scale;
  }

  /** Beside the searches: whether the layers of a side may still be replayed on other operands, which takes so many nanoseconds more. */
  mayTryOthers(nanoseconds: number): boolean {
    this.onOthers += nanoseconds;
    return this.onOthers <= ON_OTHERS * this.scale;
  }

  get isSpentAgain(): boolean {
    return this.spent > AGAIN * this.ofLayers;
  }

  /** The same of a layer that nobody saw, replayed by so many multiply-adds, and of so many that are asked for their values on the way. */
  mayTryUnseen(multiplyAdds: number, asked = 0): boolean {
    this.onUnseen += UNSEEN.layer + UNSEEN.multiplyAdd * multiplyAdds + UNSEEN.asked * asked;
    return !this.isSpentOnUnseen;
  }

  get isSpentOnUnseen(): boolean {
    return this.onUnseen > ON_UNSEEN * this.scale;
  }

  get endsSingles(): boolean {
    return this.spent - this.atSingles > SINGLES * this.scale;
  }

  get endsAllSingles(): boolean {
    return this.spent - this.atSearch > MOST_SINGLES * this.scale;
  }

  get endsListing(): boolean {
    return this.spent - this.atSearch > (MOST_SINGLES / 2) * this.scale;
  }

  get endsArranged(): boolean {
    return this.spent - this.atSingles > ARRANGED * this.scale;
  }

  get isOver(): boolean {
    return this.atShort !== null && this.spent - this.atShort > ON_SINGLES * this.ofLayers;
  }
}

const NEAR_CHANNELS = 1 << 13;

/** Values that the estimators of a search may read in all. */
const ESTIMATED = 4e8;

/** What one search takes of it. */
export class SearchWork {
  /** Past single causes: as far as the run may go. */
  isDeep = false;
  /** Why not all hypotheses were tried: there were too many, or layers before have taken what the run may; null: they were. */
  ended: 'out_of_time' | 'cut_short' | null = null;
  private estimated = 0;
  private count = 0;

  constructor(
    private readonly all = new Work(),
    private readonly ofFloats = false,
  ) {}

  /** Single causes follow again, of parts: they are few, whatever the pairs took. */
  endDeep(): void {
    this.isDeep = false;
    this.all.beginSingles();
  }

  /** Rows in another order follow, beside each change: they are as many as all of a layer. */
  beginArranged(): void {
    this.all.beginSingles();
  }

  mayArrange(): boolean {
    if (this.all.endsArranged) this.ended ??= 'out_of_time';
    return !this.all.endsArranged;
  }

  /** The changes of a cause are few, but to list them may take replays, 3 s of a sum of four million: half of what they may take is left to try them. */
  mayList(): boolean {
    if (this.all.endsListing) this.ended ??= 'out_of_time';
    return !this.all.endsListing;
  }

  /** All that a search may take is. */
  get isSpent(): boolean {
    return this.all.endsAllSingles;
  }

  /** Beside what may be taken in all: as `Work` has it. */
  beside(...asked: Parameters<Work['beside']>): void {
    const { ended } = this;
    this.all.beside(...asked);
    this.ended = ended;
  }

  tried(): void {
    this.count++;
    this.all.add(COST.tried);
  }

  mayEstimate(values: number, channels: number): boolean {
    const far = Math.max(0, channels - NEAR_CHANNELS) * COST.farChannel;
    this.all.add(COST.estimate + values * COST.estimatedValue + channels * COST.channel + far);
    this.estimated += values;
    const may = this.estimated <= ESTIMATED;
    if (!may) this.ended ??= 'out_of_time';
    return may;
  }

  /** hasMetSums: such from which what was observed may follow. */
  isEnding(hasMetSums: boolean): boolean {
    const { all, isDeep } = this;
    const endsSingles = all.isOver || all.endsAllSingles || (this.count > OF_ANY_LAYER && all.endsSingles);
    const ends = isDeep ? all.endsPairs(hasMetSums, this.ofFloats ? OF_FLOATS : 1) : endsSingles;
    if (ends) this.ended = all.isShort ? 'cut_short' : 'out_of_time';
    return ends;
  }
}
