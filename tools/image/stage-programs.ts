import { chmod, copyFile, cp, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { bundlePrograms, type Program, PROGRAMS } from '../bundle.ts';

const ROOT = join(import.meta.dirname, '../..');
const MODULES = join(ROOT, 'node_modules');

/** Programs that load koffi: only the sidecar asks the kernel for original destinations. */
const WITH_KOFFI: readonly Program[] = ['sidecar'];

/** What the licences of the program and of its lists want with every copy. */
const TERMS = ['LICENSE', 'NOTICE'] as const;

/**
 * Lays out what the Dockerfile copies: for each program a directory with its bundle, package.json and machine code, with modes that
 * do not depend on who builds.
 * @param directory the build context, empty
 * @returns the version in package.json
 */
export async function stagePrograms(directory: string, programs: readonly Program[]): Promise<string> {
  const { version } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { readonly version: string };
  for (const program of programs) {
    const app = join(directory, program);
    await bundlePrograms(join(app, 'dist'), { [program]: PROGRAMS[program] });
    await writeFile(join(app, 'package.json'), `${JSON.stringify({ name: 'lazaret', version, type: 'module' })}\n`);
    for (const terms of TERMS) await copyFile(join(ROOT, terms), join(app, terms));
    if (WITH_KOFFI.includes(program)) await copyKoffi(join(app, 'node_modules'));
  }
  await copyFile(join(ROOT, 'Dockerfile'), join(directory, 'Dockerfile'));
  await copyFile(join(import.meta.dirname, 'collect-root.sh'), join(directory, 'collect-root.sh'));
  await setModes(directory);
  return version;
}

/** Without its C++ sources, documents and build tool. */
async function copyKoffi(modules: string): Promise<void> {
  const native = `@koromix/koffi-linux-${process.arch}`;
  const parts = /\/(?:package\.json|LICENSE\.txt|[^/]+\.js|[^/]+\.node)$/;
  const others = /\/(?:doc|vendor|lib|musl_\w+)$/;
  for (const name of ['koffi', native]) {
    await cp(join(MODULES, name), join(modules, name), {
      recursive: true,
      filter: async (from) => ((await stat(from)).isDirectory() ? !others.test(from) : parts.test(from)),
    });
  }
}

async function setModes(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await setModes(path);
    else await chmod(path, 0o644);
  }
}
