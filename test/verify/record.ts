/** src/kernels/verification.json: what was compared with which runtime, which `qdiff kernels` prints. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { kernels } from '../../src/kernels/registry.js';
import type { Verification } from '../../src/kernels/verification.js';

const RECORD = join(import.meta.dirname, '..', '..', 'src', 'kernels', 'verification.json');

/** Rows of one run: what is alike is added up. */
export class Rows {
  private readonly rows: Verification[] = [];

  add(row: Verification): void {
    const same = this.rows.findIndex((other) => isSame(other, row));
    if (same < 0) this.rows.push(row);
    else {
      const { values, mismatched } = this.rows[same];
      this.rows[same] = { ...row, values: values + row.values, mismatched: mismatched + row.mismatched };
    }
  }

  /** In the order of the kernels; a row of an earlier run of the same is replaced where it stands. */
  write(): void {
    const record: Verification[] = JSON.parse(readFileSync(RECORD, 'utf8'));
    const now = (old: Verification) => old.compared === 'qdiff' && this.rows.find((row) => isSame(row, old));
    const added = this.rows.filter((row) => !record.some((old) => now(old) === row));
    const order = kernels.map((kernel) => kernel.name);
    const all = [...record.map((old) => now(old) || old), ...added].sort(
      (a, b) => order.indexOf(a.kernel) - order.indexOf(b.kernel),
    );
    writeFileSync(RECORD, `${JSON.stringify(all, null, 2)}\n`);
  }
}

function isSame(a: Verification, b: Verification): boolean {
  return (['kernel', 'runtime', 'version', 'cpu', 'settings', 'of'] as const).every((key) => a[key] === b[key]);
}

export function thisCpu(): string {
  const flags = existsSync('/proc/cpuinfo')
    ? (/^flags.*$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[0] ?? '')
    : '';
  const level = ['amx_int8', 'avx512_vnni', 'avx512bw', 'avx_vnni', 'avx2', 'avx'].find((flag) =>
    flags.split(' ').includes(flag),
  );
  return `${cpus()[0].model.trim()}${level ? ` (${level.replace('avx512bw', 'avx512').replace('_', '-').toUpperCase()})` : ''}`;
}

/** AVX512's: what PyTorch asks for. */
export function hasVnni(): boolean {
  return /AVX512-VNNI|AMX/.test(thisCpu());
}
