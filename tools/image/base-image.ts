import { copyFile, mkdir, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import { writeImageArchive } from './image-archive.ts';
import { runCommand } from './run-command.ts';

/** What the images are built on where nobody names another base: Debian with nftables, and the Node that runs this. */
export const BASE_IMAGE = 'localhost/lazaret-base:bookworm';

/** Where it is kept; the test cluster keeps it at the same place. */
export const BASE_ARCHIVE = join(homedir(), '.cache/lazaret/cluster/images/base.tar');

const PACKAGES = 'nftables,ca-certificates,libatomic1';

/** Whose absence a program that is copied out of the base does not notice. */
const DISPENSABLE = ['var/cache/apt', 'var/lib/apt/lists', 'usr/share/doc', 'usr/share/man', 'usr/share/locale'];

/**
 * Makes the base image once for each version of Node, with debootstrap and thus as root; half a minute.
 * @param file the OCI archive to write; a `.made-of` beside it tells what it is
 */
export async function makeBaseImage(file: string, say: (line: string) => void): Promise<void> {
  const mark = `${file}.made-of`;
  const madeOf = `${PACKAGES} node ${process.version} ${process.arch}`;
  const made = (await readFile(mark, 'utf8').catch(() => '')) === madeOf;
  if (made && (await stat(file).catch(() => null)) !== null) return;
  say('making the base image');
  await mkdir(dirname(file), { recursive: true });
  const dir = await mkdtemp(join(dirname(file), 'base-'));
  try {
    const debian = join(dir, 'debian');
    await runCommand(['debootstrap', '--variant=minbase', `--include=${PACKAGES}`, 'bookworm', debian]);
    for (const folder of DISPENSABLE) await rm(join(debian, folder), { recursive: true, force: true });
    const node = join(dir, 'node');
    await mkdir(join(node, 'usr/local/bin'), { recursive: true });
    await copyFile(process.execPath, join(node, 'usr/local/bin/node'));
    const env = ['PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'];
    await writeImageArchive({ name: BASE_IMAGE, layers: [debian, node], env }, file);
    await writeFile(mark, madeOf);
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}
