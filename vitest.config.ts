import { defineConfig } from 'vitest/config';
import { vitePlugin } from './src/accelerate/assembly/compile.js';

export default defineConfig({
  plugins: [vitePlugin],
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: new URL('test/support/temporary.ts', import.meta.url).pathname,
    testTimeout: 120_000,
    hookTimeout: 120_000,
    pool: 'forks',
  },
});
