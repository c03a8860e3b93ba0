import { defineConfig, mergeConfig } from 'vitest/config';
import base from '../../vitest.config.js';

/** `npm run verify:runtimes`: minutes, not seconds, and it installs the runtimes. */
const config = mergeConfig(base, defineConfig({ test: { testTimeout: 3_600_000, hookTimeout: 3_600_000 } }));
config.test!.include = ['test/verify/*.verify.ts'];
config.test!.projects = undefined;
export default config;
