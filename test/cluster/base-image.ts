import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { exists, writeImageArchive } from './image-archive.ts';
import { withLock } from './lock.ts';
import { CACHE } from './place.ts';
import { runCommand } from './run-command.ts';

/** What the product's own images are built on where there is no registry: Debian, nftables and Node. */
export const BASE_IMAGE = 'localhost/lazaret-base:bookworm';

/** The archive of the base image. */
export const BASE_ARCHIVE = join(CACHE, 'images/base.tar');

const PACKAGES = 'nftables,ca-certificates,libatomic1';

/**
 * Makes the base image once for each version of Node; half a minute.
 * @returns BASE_ARCHIVE
 */
export function makeBaseImage(say: (line: string) => void): Promise<string> {
  return withLock('base-image', () => makeOnce(say));
}

async function makeOnce(say: (line: string) => void): Promise<string> {
  const mark = `${BASE_ARCHIVE}.made-of`;
  const madeOf = `${PACKAGES} node ${process.version} ${process.arch}`;
  if ((await exists(BASE_ARCHIVE)) && (await readFile(mark, 'utf8').catch(() => '')) === madeOf) return BASE_ARCHIVE;
  say('making the base image');
  await mkdir(dirname(BASE_ARCHIVE), { recursive: true });
  const dir = await mkdtemp(join(CACHE, 'base-'));
  try {
    const debian = join(dir, 'debian');
    await runCommand(['debootstrap', '--variant=minbase', `--include=${PACKAGES}`, 'bookworm', debian]);
    for (const folder of ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale']) {
      await rm(join(debian, folder), { recursive: true, force: true });
    }
    const node = join(dir, 'node');
    await mkdir(join(node, 'usr/local/bin'), { recursive: true });
    await copyFile(process.execPath, join(node, 'usr/local/bin/node'));
    const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    await writeImageArchive({ name: BASE_IMAGE, layers: [debian, node], env }, BASE_ARCHIVE);
    await writeFile(mark, madeOf);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
  return BASE_ARCHIVE;
}
