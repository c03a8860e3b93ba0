import { defineConfig } from 'vitest/config';
import { assemblyscript } from './src/accelerate/assembly/compile.js';

export default defineConfig({
  plugins: [assemblyscript],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: new URL('test/support/temporary.ts', import.meta.url).pathname,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
    maxWorkers: '100%', // by default one of two cores is left alone, and all takes twice as long
  },
});
