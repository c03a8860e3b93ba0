import type { Pattern } from '../draft.js';
import { attention } from './attention.js';
import { dynamic } from './dynamic.js';
import { dynamicQuantize } from './dynamicQuantize.js';
import { embedding } from './embedding.js';
import { embedNorm } from './embedNorm.js';
import { floatProduct } from './floatProduct.js';
import { integerProduct } from './integerProduct.js';
import { lstm } from './lstm.js';
import { nBits } from './nBits.js';
import { other } from './other.js';
import { qdqClamp } from './qdqClamp.js';
import { qdqElementwise } from './qdqElementwise.js';
import { qdqMoves } from './qdqMoves.js';
import { qdqProduct } from './qdqProduct.js';
import { qdqUnary } from './qdqUnary.js';
import { qoperator } from './qoperator.js';
import { quantize } from './quantize.js';
import { summedFirst } from './summedFirst.js';
import { where } from './where.js';

/** Looked for over the whole graph before the others: what they fold stands before what tells them. */
export const firstPatterns: readonly Pattern[] = [dynamic];

/** The first that matches takes the node; the last takes all. */
export const patterns: readonly Pattern[] = [
  qoperator,
  integerProduct,
  dynamicQuantize,
  qdqProduct,
  floatProduct,
  qdqElementwise,
  where,
  embedding,
  lstm,
  embedNorm,
  attention,
  nBits,
  summedFirst,
  qdqMoves,
  qdqUnary,
  qdqClamp,
  quantize,
  other,
];

/** In their order, those that may begin at an operator: a graph has many nodes. */
export class PatternTable {
  private readonly byOp = new Map<string, readonly Pattern[]>();

  constructor(private readonly patterns: readonly Pattern[]) {}

  of(opType: string): readonly Pattern[] {
    const known = this.byOp.get(opType);
    if (known) return known;
    const own = this.patterns.filter(({ ops }) => ops === null || ops.includes(opType));
    this.byOp.set(opType, own);
    return own;
  }
}
