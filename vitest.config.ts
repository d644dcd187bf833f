import { defineConfig } from 'vitest/config';

/** Everything that needs no privilege: `npm test`. What needs root has configurations of its own. */
export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/pod/**', 'test/sdk/**', 'test/cluster/**'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    pool: 'forks',
  },
});
