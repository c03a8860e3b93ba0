import { type ChildProcess, spawn } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Ended, Processes } from './nouns/processes.js';

/** Of what a program says the end is kept: its last words tell why it failed. */
const KEPT = 1 << 20;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const running = new Set<ChildProcess>();

export const processes: Processes = {
  node: process.execPath,

  beside: (name) => {
    try {
      return createRequire(import.meta.url).resolve(name);
    } catch {
      return null;
    }
  },

  run: (program, args, env) =>
    new Promise<Ended | null>((resolve, reject) => {
      const child = spawn(program, args, {
        env: { ...process.env, ...env },
        stdio: ['ignore', 'pipe', 'pipe'],
        windowsHide: true,
      });
      running.add(child);
      const said = { stdout: '', stderr: '' };
      for (const name of ['stdout', 'stderr'] as const) {
        child[name].setEncoding('utf8').on('data', (text: string) => {
          said[name] = (said[name] + text).slice(-KEPT);
        });
      }
      child.on('error', (error: NodeJS.ErrnoException) => {
        running.delete(child);
        if (error.code === 'ENOENT' || error.code === 'EACCES') resolve(null);
        else reject(error);
      });
      child.on('close', (status) => {
        running.delete(child);
        resolve({ status, ...said });
      });
    }),

  inScratch: async (work) => {
    const folder = mkdtempSync(join(tmpdir(), 'qdiff-'));
    const remove = () => {
      for (const signal of SIGNALS) process.off(signal, end);
      process.off('exit', remove);
      rmSync(folder, { recursive: true, force: true, maxRetries: 3 });
    };
    // the signal is sent once more, so that a shell sees what ended this process
    const end = (signal: NodeJS.Signals) => {
      for (const child of running) child.kill('SIGKILL');
      remove();
      process.kill(process.pid, signal);
    };
    for (const signal of SIGNALS) process.on(signal, end);
    process.on('exit', remove);
    try {
      return await work({ folder, remove });
    } finally {
      remove();
    }
  },

  move: async (from, to) => {
    mkdirSync(dirname(to), { recursive: true });
    const unfinished = `${to}.${process.pid}.unfinished`;
    try {
      copyFileSync(from, unfinished);
      renameSync(unfinished, to);
    } catch (error) {
      rmSync(unfinished, { force: true });
      throw error;
    }
  },
};
