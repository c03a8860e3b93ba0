import { expect, it, vi } from 'vitest';
import { Machine } from '../../src/accelerate/job.js';

let asked = 0;
vi.mock('node:worker_threads', () => ({
  Worker: class {
    constructor() {
      if (++asked > 1) throw new Error('ERR_WORKER_INIT_FAILED: EAGAIN');
    }
    on() {}
    unref() {}
  },
}));

it('makes do with the threads that the system grants', () => {
  const machine = new Machine({ threads: 4, worthThreads: 0 });
  expect(machine.threadsFor(1)).toBe(2);
  expect(machine.threadsFor(1)).toBe(2);
  expect(asked).toBe(2);
});
