import { spawnSync } from 'node:child_process';

/** Whether a tool of the machine runs; tests that need one are skipped by its name. */
export function runs(command: string, ...args: string[]): boolean {
  return spawnSync(command, args, { stdio: 'ignore' }).status === 0;
}

export const hasNumpy = runs('python3', '-c', 'import numpy');
export const hasCc = runs('cc', '--version');
export const hasIverilog = runs('iverilog', '-V');

/** Standard output; the test fails with standard error where the command does. */
export function outputOf(command: string, args: readonly string[], cwd?: string): string {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd, encoding: 'utf8', maxBuffer: 1 << 26 });
  if (error || status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error ?? stderr}`);
  return stdout;
}
