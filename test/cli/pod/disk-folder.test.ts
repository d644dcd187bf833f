import { existsSync } from 'node:fs';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { diskTmpdir } from '#cli/pod/disk-folder.ts';

afterEach(() => {
  vi.unstubAllEnvs();
});

describe('folder for a run', () => {
  it("is the caller's, where that lies on a disk", () => {
    vi.stubEnv('TMPDIR', '/etc');
    expect(diskTmpdir()).toBe('/etc');
  });

  it("is /var/tmp, where the caller's lies in memory", () => {
    // Every Linux with shared memory has this tmpfs.
    const memory = '/dev/shm';
    expect(existsSync(memory)).toBe(true);
    vi.stubEnv('TMPDIR', memory);
    expect(diskTmpdir()).toBe('/var/tmp');
  });
});
