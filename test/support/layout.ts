/** The code's layout as data, and sentences about what of it does not keep to the map (src/README.md). */
import { parseAst } from 'rolldown/parseAst';

/** A file of src/; paths are from there. */
export interface Source {
  readonly path: string;
  readonly lines: number;
  /** Files that it imports, types included; packages are left out. */
  readonly imports: readonly string[];
  /** Declared types of the constants that it exports. */
  readonly exports: readonly string[];
  /** Lines of every function that has a body. */
  readonly functions: readonly number[];
  /** Arithmetic that has a name in numeric/: `>>`, `Math.round`, `BigInt`, as written. */
  readonly bare: readonly string[];
}

/** A folder whose files are the rows of a registry. */
export interface Registry {
  readonly folder: string;
  readonly registry: string;
  /** Files of the folder that are no rows; absent: those are rows that export a constant of the type. */
  readonly helpers?: readonly string[];
  /** What a row is, where each file has one. */
  readonly type?: string;
}

interface Node {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [field: string]: unknown;
}

export function sourceOf(path: string, text: string): Source {
  const nodes = [...nodesIn(parseAst(text, { lang: 'ts' }))];
  const imports = nodes.flatMap((node) => importedBy(node) ?? []).filter((name) => name.startsWith('.'));
  return {
    path,
    lines: text.trimEnd().split('\n').length,
    imports: [...new Set(imports.map((name) => resolved(path, name)))],
    exports: nodes.flatMap(exportedBy),
    functions: nodes.filter(hasBody).map(({ start, end }) => text.slice(start, end).split('\n').length),
    bare: nodes.filter((node) => isBare(node, text)).map(({ start, end }) => text.slice(start, end)),
  };
}

function* nodesIn(value: unknown): Generator<Node> {
  if (typeof value !== 'object' || value === null) return;
  if ('type' in value && 'start' in value) yield value as Node;
  for (const item of Object.values(value)) yield* nodesIn(item);
}

/** `import`, `export ... from`, `await import()`, `import('...').Type`; undefined for other nodes. */
function importedBy({ type, source }: Node): string | undefined {
  const kinds = [
    'ImportDeclaration',
    'ExportNamedDeclaration',
    'ExportAllDeclaration',
    'ImportExpression',
    'TSImportType',
  ];
  const { value } = (source ?? {}) as { value?: unknown };
  return kinds.includes(type) && typeof value === 'string' ? value : undefined;
}

function exportedBy({ type, declaration }: Node): string[] {
  const { declarations = [] } = (declaration ?? {}) as { declarations?: readonly { readonly id: Declared }[] };
  if (type !== 'ExportNamedDeclaration') return [];
  return declarations.flatMap(({ id }) => id.typeAnnotation?.typeAnnotation.typeName?.name ?? []);
}

interface Declared {
  readonly typeAnnotation?: { readonly typeAnnotation: { readonly typeName?: { readonly name: string } } };
}

function hasBody({ type, body }: Node): boolean {
  const kinds = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
  return kinds.includes(type) && (body as Node | null)?.type === 'BlockStatement';
}

function isBare({ type, operator, callee }: Node, text: string): boolean {
  if (type === 'BinaryExpression') return operator === '>>'; // >>> is for hashes
  if (type !== 'CallExpression') return false;
  const { start, end } = callee as Node;
  return ['Math.round', 'BigInt'].includes(text.slice(start, end));
}

/** `../nouns/model.js` in `diff/extent.ts` is `nouns/model.ts`. */
function resolved(from: string, name: string): string {
  const { pathname } = new URL(name, `file:///${from}`);
  return pathname.slice(1).replace(/\.js$/, '.ts');
}

/** The rooms in order: first column of the map's table. */
export function roomsOf(readme: string): string[] {
  const table = /^\| where .*\n\|[- |]+\n((?:\|.*\n)*)/m.exec(readme)?.[1] ?? '';
  return table.split('\n').flatMap((row) => /^\| `([^`]+)`/.exec(row)?.[1] ?? []);
}

/** `diff/extent.ts` is in `diff/`; a file that lies beside the folders is a room of its own. */
function roomOf(path: string): string {
  return path.includes('/') ? `${path.split('/')[0]}/` : path;
}

export function notOnTheMap(rooms: readonly string[], sources: readonly Source[]): string[] {
  const used = new Set(sources.map(({ path }) => roomOf(path)));
  return [...used].filter((room) => !rooms.includes(room));
}

/** Imports of rooms that come later in the list. */
export function downArrows(rooms: readonly string[], sources: readonly Source[]): string[] {
  const level = (path: string) => rooms.indexOf(roomOf(path));
  return sources.flatMap(({ path, imports }) =>
    imports.filter((imported) => level(imported) > level(path)).map((imported) => `${path} -> ${imported}`),
  );
}

/** Files that import each other, one line a knot: Tarjan's strongly connected components. */
export function cycles(sources: readonly Source[]): string[] {
  const importsOf = new Map(sources.map(({ path, imports }) => [path, imports]));
  const order = new Map<string, number>();
  const lowest = new Map<string, number>();
  const open: string[] = [];
  const found: string[][] = [];
  const visit = (path: string) => {
    order.set(path, order.size);
    lowest.set(path, order.get(path)!);
    open.push(path);
    for (const next of importsOf.get(path) ?? []) {
      if (importsOf.has(next) && !order.has(next)) visit(next);
      if (open.includes(next)) lowest.set(path, Math.min(lowest.get(path)!, lowest.get(next)!));
    }
    if (lowest.get(path) === order.get(path)) found.push(open.splice(open.indexOf(path)));
  };
  for (const { path } of sources) if (!order.has(path)) visit(path);
  return found.filter((knot) => knot.length > 1).map((knot) => knot.sort().join(' '));
}

/** Files that are no row, rows and helpers that are no file, files that are to hold one row and do not. */
export function unregistered({ folder, registry, helpers, type }: Registry, sources: readonly Source[]): string[] {
  const inFolder = (path: string) => path.slice(0, path.lastIndexOf('/')) === folder && path !== registry;
  const isHelper = (path: string) => helpers?.includes(nameOf(path)) ?? false;
  const files = sources.filter(
    ({ path, exports }) => inFolder(path) && (helpers ? !isHelper(path) : exports.includes(type!)),
  );
  const imported = sources.find(({ path }) => path === registry)?.imports ?? [];
  const has = (path: string) => sources.some((source) => source.path === path);
  const missing = [...imported.filter(inFolder), ...(helpers ?? []).map((name) => `${folder}/${name}`)];
  const several =
    type === undefined ? [] : files.filter(({ exports }) => exports.filter((e) => e === type).length !== 1);
  return [
    ...files.filter(({ path }) => !imported.includes(path)).map(({ path }) => `${path} is no row of ${registry}`),
    ...missing.filter((path) => !has(path)).map((path) => `${path} is no file`),
    ...several.map(({ path }) => `${path} does not have one ${type}`),
  ];
}

function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

export function longerThan(most: number, sources: readonly Pick<Source, 'path' | 'lines'>[]): string[] {
  return sources.filter(({ lines }) => lines > most).map(({ path }) => path);
}

/** Folders of more files than one finds a file among, not counting those of folders in them. */
export function fullerThan(most: number, sources: readonly Pick<Source, 'path'>[]): string[] {
  const counts = new Map<string, number>();
  for (const { path } of sources) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    counts.set(folder, (counts.get(folder) ?? 0) + 1);
  }
  return [...counts].filter(([, files]) => files > most).map(([folder]) => folder);
}

export function withBareArithmetic(rooms: readonly string[], sources: readonly Source[]): string[] {
  const own = sources.filter(({ path }) => rooms.includes(roomOf(path)));
  return own.flatMap(({ path, bare }) => bare.map((text) => `${path}: ${text}`));
}

export function functionsLongerThan(most: number, sources: readonly Source[]): string[] {
  return sources.filter(({ functions }) => functions.some((lines) => lines > most)).map(({ path }) => path);
}

export function medianLength(sources: readonly Source[]): number {
  const lengths = sources.flatMap(({ functions }) => functions).sort((a, b) => a - b);
  return lengths[lengths.length >> 1];
}
