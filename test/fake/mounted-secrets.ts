import { mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

let version = 0;

/** Puts a Secret below a folder as a kubelet does: its files lie behind `..data`, which is exchanged by a rename. */
export async function mountSecret(
  root: string,
  secret: string,
  content: Readonly<Record<string, string | Uint8Array>>,
): Promise<void> {
  const folder = join(root, secret);
  const real = `..${++version}`;
  await mkdir(join(folder, real), { recursive: true });
  for (const [name, bytes] of Object.entries(content)) {
    await writeFile(join(folder, real, name), bytes);
    await symlink(join('..data', name), join(folder, name)).catch(() => undefined);
  }
  await symlink(real, join(folder, '..new'));
  await rename(join(folder, '..new'), join(folder, '..data'));
}
