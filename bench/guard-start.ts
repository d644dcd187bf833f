/** The heap that the sidecar's image gives it, and its few threads: what the Dockerfile says. */
export const GUARD_FLAGS = [
  '--disable-sigusr1',
  '--max-semi-space-size=2',
  '--max-old-space-size=96',
  '--no-memory-pool',
] as const;

export const GUARD_ENVIRONMENT = {
  MALLOC_ARENA_MAX: '1',
  MALLOC_MMAP_THRESHOLD_: '32768',
  MALLOC_TRIM_THRESHOLD_: '65536',
  UV_THREADPOOL_SIZE: '2',
} as const;
