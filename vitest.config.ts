import { defineConfig } from 'vitest/config';
import { assemblyscript } from './src/accelerate/assembly/compile.js';

/** They put others in the place of Node's modules, which all that imported these before would keep. */
const alone = ['test/accelerate/noThreads.test.ts', 'test/faults/windows.test.ts'];

/** They run Python, a compiler, a browser or hundreds of searches: most of the time, and the same on every Node. */
const once = [
  'test/exporters/**/*.test.ts',
  'test/golden/{generator,golden}.test.ts',
  'test/analyze/explain.test.ts',
  'test/commands/golden.test.ts',
  'test/compare/runtimes.test.ts',
  'test/convolution/mistakes.test.ts',
  'test/diagnose/**/*.test.ts',
  'test/kernels/steps/written.test.ts',
  'test/report/page.test.ts',
  'test/reports/**/*.test.ts',
];

// a worker loads the sources once for all of its files: each file by itself would take a sixth more of the whole time
const shared = { isolate: false };

export default defineConfig({
  plugins: [assemblyscript],
  test: {
    projects: [
      { extends: true, test: { name: 'alone', include: alone } },
      { extends: true, test: { name: 'once', include: once, ...shared } },
      {
        extends: true,
        test: { name: 'every', include: ['test/**/*.test.ts'], exclude: [...alone, ...once], ...shared },
      },
    ],
    globalSetup: new URL('test/support/temporary.ts', import.meta.url).pathname,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: '100%', // by default one of two cores is left alone, and all takes twice as long
  },
});
