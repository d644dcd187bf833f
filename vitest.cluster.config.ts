import { defineConfig } from 'vitest/config';
import { FileOrder } from './test/cluster/file-order.ts';
import { testPlaces } from './test/cluster/place.ts';
import { proofReporter } from './test/cluster/proof.ts';

/** A real Kubernetes on this machine: `npm run test:cluster`, as root with Go. */
export default defineConfig({
  test: {
    include: ['test/cluster/**/*.test.ts'],
    reporters: ['default', proofReporter],
    globalSetup: ['test/cluster/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 600_000,
    pool: 'forks',
    // Each has a cluster of its own: test/cluster/place.ts.
    maxWorkers: testPlaces().length,
    sequence: { sequencer: FileOrder },
    setupFiles: ['test/cluster/file-setup.ts'],
  },
});
