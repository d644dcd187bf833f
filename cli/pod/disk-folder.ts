import { statfsSync } from 'node:fs';
import { tmpdir } from 'node:os';

/** `f_type` of file systems that lose everything with the power (statfs(2)): tmpfs and ramfs. */
const MEMORY = new Set([0x01_02_19_94, 0x85_84_58_f6]);

/** Where the system keeps temporary files that outlive a reboot (FHS 3.0 §5.15), so on a disk. */
const DISK = '/var/tmp';

/** A folder for temporary files on a disk: a spool in memory is refused, and many systems have /tmp there. */
export function diskTmpdir(): string {
  const folder = tmpdir();
  return MEMORY.has(statfsSync(folder).type) ? DISK : folder;
}
