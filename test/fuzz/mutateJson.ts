import { mutateBytes } from './bytes.js';
import { NAMES, NUMBERS, TOKENS } from './hostile.js';
import type { Random } from './random.js';

type Json = unknown;
type Holder = Record<string, Json>;

/** Stands in a tree for a token, which then replaces it in the text. */
const mark = (token: number) => `@token ${token}@`;

/** As JSON.stringify, but for the tokens, and -0. */
export function jsonText(value: Json): string {
  const text = JSON.stringify(value, (_, item) => (Object.is(item, -0) ? mark(TOKENS.indexOf('-0')) : item));
  return text.replace(/"@token (\d+)@"/g, (_, token) => TOKENS[Number(token)]);
}

export function anyValue(random: Random): Json {
  return random.weighted<() => Json>([
    [4, () => random.one(NUMBERS)],
    [3, () => random.one(NAMES)],
    [4, () => mark(random.below(TOKENS.length))],
    [1, () => null],
    [1, () => random.chance(0.5)],
    [0.2, () => 'x'.repeat(random.one([100, 10_000, 200_000]))],
    [0.7, () => Array.from({ length: random.one([1, 3, 5, 100]) }, () => random.one(NUMBERS))],
    [0.3, () => Array.from({ length: 3 }, () => Array.from({ length: 4 }, () => random.one(NUMBERS)))],
  ])();
}

/** Every place of a tree, those near the top first; not all leaves of a large one. */
function placesIn(tree: Json): [Holder, string][] {
  const places: [Holder, string][] = [];
  const waiting: Json[] = [tree];
  for (let i = 0; i < waiting.length && places.length < 4000; i++) {
    const holder = waiting[i];
    if (typeof holder !== 'object' || holder === null) continue;
    for (const key of Object.keys(holder)) {
      places.push([holder as Holder, key]);
      waiting.push((holder as Holder)[key]);
    }
  }
  return places;
}

/** A changed copy. */
export function mutateTree(tree: Json, random: Random): Json {
  const root = { tree: structuredClone(tree) };
  for (let i = random.few(); i > 0; i--) {
    const all = placesIn(root).slice(1);
    if (all.length === 0) break;
    // numbers of a matrix by the thousand must not hide the fields above them
    const fields = all.filter(([holder]) => !Array.isArray(holder) || typeof holder[0] === 'object');
    const [holder, key] = random.one(fields.length > 0 && random.chance(0.8) ? fields : all);
    random.weighted(TREE_CHANGES)(holder, key, random, all);
  }
  return root.tree;
}

/** Also `__proto__`, as JSON.parse does. */
function put(holder: Holder, key: string, value: Json): void {
  if (Array.isArray(holder)) holder.splice(Number(key), 0, value);
  else Object.defineProperty(holder, key, { value, enumerable: true, configurable: true, writable: true });
}

function take(holder: Holder, key: string): Json {
  const value = holder[key];
  if (Array.isArray(holder)) holder.splice(Number(key), 1);
  else delete holder[key];
  return value;
}

type TreeChange = (holder: Holder, key: string, random: Random, all: [Holder, string][]) => void;

const FACTORS = [2, 0.5, -1, 1e30, 1e-30, 1 + 2 ** -24, 1 + 2 ** -52];

const TREE_CHANGES: readonly (readonly [number, TreeChange])[] = [
  [8, (holder, key, random) => (holder[key] = anyValue(random))],
  [2, (holder, key) => void take(holder, key)],
  [1, (holder, key, random) => put(holder, Array.isArray(holder) ? key : random.one(NAMES), take(holder, key))],
  [1, (holder, key) => put(holder, Array.isArray(holder) ? key : `${key}2`, structuredClone(holder[key]))],
  [1, (holder, _, random) => put(holder, random.one(['__proto__', 'extra', ...NAMES.slice(0, 20)]), anyValue(random))],
  [
    1,
    (holder, key, random, all) => {
      const [from, name] = random.one(all);
      holder[key] = structuredClone(from[name]);
    },
  ],
  [
    2,
    (holder, key, random) => {
      const value = holder[key];
      if (typeof value === 'string') holder[key] = value + random.one(NAMES);
      if (typeof value === 'number') holder[key] = value * random.one(FACTORS);
    },
  ],
  [
    1,
    (holder, key, random) => {
      const value = holder[key];
      if (typeof value === 'number') holder[key] = value + random.one([1, -1, 0.5, 256]);
    },
  ],
];

/** A changed JSON file: its tree, its bytes, or how it is spelt. */
export function mutateJson(tree: Json, random: Random): Buffer {
  return random.weighted([
    [7, () => Buffer.from(jsonText(mutateTree(tree, random)))],
    [2, () => mutateBytes(Buffer.from(JSON.stringify(tree)), random)],
    [1, () => random.one(SPELLINGS)(jsonText(mutateTree(tree, random)), random)],
  ])();
}

const SPELLINGS: readonly ((text: string, random: Random) => Buffer)[] = [
  (text) => Buffer.from(`\ufeff${text}`),
  (text) => Buffer.from(`\ufeff${text}`, 'utf16le'),
  (text) => Buffer.from(text, 'latin1'),
  (text) => Buffer.from(`${text}\n//x`),
  (text) => Buffer.from(text.replace(/}$/, ',}')),
  (text) => Buffer.from(text.replaceAll('"', "'")),
  () => Buffer.from(''),
  () => Buffer.from(' \n\t '),
  (text, random) => Buffer.from(text.slice(0, random.below(text.length))),
  (text) => Buffer.from(text.replace('{"format":', '{"format":"x","format":')),
  (text) => Buffer.from(`[${text}]`),
  (text) => Buffer.from(text.replaceAll(',', ',\r\n')),
];
