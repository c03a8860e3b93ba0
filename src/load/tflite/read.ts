import type { FileSystem } from '../../nouns/file.js';
import { printable } from '../../text.js';
import { openFile } from '../bytes.js';
import { type ByteRange, FlatBuffer, type Table } from '../flatbuffer.js';
import { MOST_ITEMS, type OperatorKind, readSubGraph } from './graph.js';
import type { SubGraph, TfliteFile } from './model.js';
import { MOST_CODE, operatorName, SUBGRAPH_OPTIONS } from './operators.js';

/** Opens a .tflite: its graph is read, the bytes of its constants are not. Throws InputError. */
export async function openTflite(fs: FileSystem, path: string): Promise<TfliteFile> {
  const file = await openFile(fs, path);
  try {
    const buffer = new FlatBuffer(file, path);
    const root = await buffer.root();
    await checkIdentifier(buffer);
    const subgraphs = await readModel(root, file.size);
    return { path, buffer, subgraphs, close: () => file.close() };
  } catch (error) {
    await file.close();
    throw error;
  }
}

async function checkIdentifier(buffer: FlatBuffer): Promise<void> {
  const found = Buffer.from(await buffer.bytes(4, 4, [])).toString('latin1');
  if (found !== 'TFL3') throw buffer.refuse([], `expected TFL3 at byte 4, got ${printable(found)}`);
}

async function readModel(table: Table, fileBytes: number): Promise<SubGraph[]> {
  const version = table.scalar(0, 'version', 'Uint32', 0);
  if (version !== 3) throw table.refuse('version', `expected 3, got ${version}`, 'convert the model again');
  const kinds = await readKinds(table);
  const buffers: (ByteRange | null)[] = [];
  for await (const item of table.tables(4, 'buffers', MOST_ITEMS)) buffers.push(await readBuffer(item, fileBytes));
  await checkMetadata(table, buffers.length);
  const subgraphs: SubGraph[] = [];
  for await (const item of table.tables(2, 'subgraphs', MOST_ITEMS)) {
    subgraphs.push(await readSubGraph(item, kinds, buffers));
  }
  if (subgraphs.length === 0) throw table.refuse('subgraphs', 'expected at least one subgraph, got none');
  checkCalls(subgraphs, table);
  return subgraphs;
}

async function readKinds(model: Table): Promise<OperatorKind[]> {
  const kinds: OperatorKind[] = [];
  for await (const table of model.tables(1, 'operator_codes', MOST_ITEMS)) {
    // old files have only the first; codes above 126 have 127 there
    const old = table.scalar(0, 'deprecated_builtin_code', 'Int8', 0);
    const code = Math.max(old, table.scalar(3, 'builtin_code', 'Int32', 0));
    const name = operatorName(code);
    if (name === null) {
      const fix = 'no operator of the schema, or one of a newer one';
      throw table.refuse('builtin_code', `expected 0..${MOST_CODE}, got ${code}`, fix);
    }
    kinds.push({ name, customCode: await table.text(1, 'custom_code') });
  }
  return kinds;
}

/** Inside the FlatBuffer, which LiteRT reads first, or behind it: so files may be longer than the 2 GiB that its offsets reach. */
async function readBuffer(table: Table, fileBytes: number): Promise<ByteRange | null> {
  const data = await table.vector(0, 'data', 1);
  if (data && data.count > 0) return data;
  const offset = table.uint64(1, 'offset');
  if (offset <= 1) return null;
  const length = table.uint64(2, 'size');
  if (offset + length > fileBytes) {
    const got = `byte ${offset} and ${length} bytes`;
    throw table.refuse('offset', `expected data inside the ${fileBytes} bytes of the file, got ${got}`);
  }
  return length === 0 ? null : { offset, length };
}

/** Nothing of it is used; a file that contradicts itself is told all the same. */
async function checkMetadata(model: Table, buffers: number): Promise<void> {
  for await (const table of model.tables(6, 'metadata', MOST_ITEMS)) {
    const index = table.scalar(1, 'buffer', 'Uint32', 0);
    if (index >= buffers) throw table.refuse('buffer', `expected one of ${buffers} buffers, got ${index}`);
  }
}

/** Operators run subgraphs that exist, and none that runs itself again: TFLite's own interpreter does not come back from those. */
function checkCalls(subgraphs: readonly SubGraph[], table: Table): void {
  const calls = subgraphs.map((graph, caller) => calledBy(graph, caller, subgraphs.length, table));
  const done = new Set<number>();
  const path = new Set<number>();
  const pending = subgraphs.map((_, index) => ({ index, leave: false })).reverse();
  while (pending.length > 0) {
    const { index, leave } = pending.pop()!;
    if (leave) {
      path.delete(index);
      done.add(index);
    } else if (path.has(index)) {
      throw table.refuse('subgraphs', `expected subgraphs that end, got ${index}, which runs itself`);
    } else if (!done.has(index)) {
      path.add(index);
      pending.push({ index, leave: true });
      for (const called of calls[index]) pending.push({ index: called, leave: false });
    }
  }
}

function calledBy({ operators }: SubGraph, caller: number, count: number, table: Table): Set<number> {
  const called = new Set<number>();
  for (const { index, name, options } of operators) {
    for (const option of SUBGRAPH_OPTIONS.get(name) ?? []) {
      const target = Number(options.get(option));
      if (target >= 0 && target < count) called.add(target);
      else {
        const field = `subgraphs[${caller}].operators[${index}].${option}`;
        throw table.refuse(field, `expected one of ${count} subgraphs, got ${target}`);
      }
    }
  }
  return called;
}
