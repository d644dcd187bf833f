import { defineConfig } from 'vitest/config';

/** Real packets in network namespaces: `npm run test:pod`, as root with nftables. */
export default defineConfig({
  test: {
    include: ['test/pod/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 120_000,
    pool: 'forks',
    fileParallelism: false,
  },
});
