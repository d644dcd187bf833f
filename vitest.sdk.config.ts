import { defineConfig } from 'vitest/config';

/** The providers' own SDKs in JavaScript and Python, and curl, through the redirect: needs root, nftables and PyPI. */
export default defineConfig({
  test: {
    include: ['test/sdk/**/*.test.ts'],
    testTimeout: 180_000,
    hookTimeout: 300_000,
    pool: 'forks',
    maxWorkers: 1,
    fileParallelism: false,
  },
});
