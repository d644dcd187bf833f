import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { authorityPaths } from '#contract/pod-paths.ts';
import type { LeafAuthority } from './intercept/leaf.ts';

/**
 * Reads the pod's intermediate authority as `lazaret-init` left it.
 * @param dir the private directory
 * @throws Error naming the file that is missing, when the init container did not finish
 */
export async function readAuthority(dir: string): Promise<LeafAuthority> {
  const paths = authorityPaths(dir);
  const read = async (file: string): Promise<string> => {
    try {
      return await readFile(file, 'utf8');
    } catch {
      throw new Error(
        `the pod CA is incomplete: ${file} cannot be read; lazaret-init must run first and give its files to this uid`,
      );
    }
  };
  const complete = COMPLETE.parse(JSON.parse(await read(paths.complete)));
  const [certPem, key, leafKey] = await Promise.all([
    read(paths.intermediateCertificate),
    read(paths.intermediateKey),
    read(paths.leafKey),
  ]);
  return { intermediate: { certPem, key }, leafKey, permitted: complete.constraints };
}

const COMPLETE = z.object({ constraints: z.array(z.string()) });
