// Makes one file of each program, as the images hold them: less to read at start, less to keep in memory.
// Usage: node tools/bundle.ts [DIRECTORY]; the default is dist/. The files need Node 26, node_modules/koffi and package.json beside them.
import { mkdir, readFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { build, type Plugin } from 'esbuild';

const ROOT = join(import.meta.dirname, '..');

/** What goes into the images: file name without suffix, and where the program begins. */
export const PROGRAMS = {
  sidecar: 'sidecar/main.ts',
  init: 'sidecar/init.ts',
  controller: 'controller/main.ts',
  collector: 'collector/main.ts',
  lazaret: 'cli/main.ts',
} as const;

/** The name of a program. */
export type Program = keyof typeof PROGRAMS;

// Some libraries are CommonJS and ask for Node's own modules by `require`, which a module does not have.
const BANNER =
  "import { createRequire as lazaretRequire } from 'node:module';\nconst require = lazaretRequire(import.meta.url);";

/** Parts of libraries that no program uses and that only its file list would load: by the end of their path, what stands for them. */
const TRIMMED: Readonly<Record<string, string>> = {
  // zod's messages in all languages but English.
  'zod/v4/locales/index.js': "export { default as en } from './en.js';",
  // undici's whole index brings fetch, WebSocket, caches and mocks; the programs take connection pools from it.
  'undici/index.js': [
    "exports.Agent = require('./lib/dispatcher/agent');",
    "exports.Pool = require('./lib/dispatcher/pool');",
    "Object.assign(require('./lib/dispatcher/dispatcher').prototype, require('./lib/api'));",
    "exports.buildConnector = require('./lib/core/connect');",
  ].join('\n'),
};

// tsyringe, under @peculiar/x509, asks for this when it is loaded; a bundle may load it before the program's own first import.
const NEEDS_REFLECT = /\/node_modules\/tsyringe\/dist\/esm5\/index\.js$/;

const trimLibraries: Plugin = {
  name: 'trim-libraries',
  setup(build) {
    build.onLoad({ filter: NEEDS_REFLECT }, async ({ path: file }) => ({
      contents: `import 'reflect-metadata';\n${await readFile(file, 'utf8')}`,
      resolveDir: dirname(file),
      loader: 'js',
    }));
    for (const [path, contents] of Object.entries(TRIMMED)) {
      const filter = new RegExp(`/node_modules/${path.replaceAll('.', '\\.')}$`);
      build.onLoad({ filter }, ({ path: file }) => ({ contents, resolveDir: dirname(file), loader: 'js' }));
    }
  },
};

/**
 * Bundles programs with all their libraries but koffi, whose half is machine code, into `NAME.js` files.
 * A program finds package.json one directory above itself, as in the checkout. Parts that are loaded at need stay files of their own.
 * @param directory made when it is missing
 * @throws esbuild's BuildFailure, which names the place
 */
export async function bundlePrograms(
  directory: string,
  programs: Readonly<Record<string, string>> = PROGRAMS,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await build({
    entryPoints: Object.entries(programs).map(([out, file]) => ({ in: resolve(ROOT, file), out })),
    outdir: directory,
    absWorkingDir: ROOT,
    bundle: true,
    splitting: true,
    chunkNames: 'chunk-[hash]',
    platform: 'node',
    target: 'node26',
    format: 'esm',
    // A CommonJS library that is imported at need would come without its named exports.
    mainFields: ['module', 'main'],
    minifySyntax: true,
    minifyWhitespace: true,
    keepNames: false,
    legalComments: 'linked',
    external: ['koffi'],
    banner: { js: BANNER },
    plugins: [trimLibraries],
    logLevel: 'error',
  });
}

if (import.meta.main) {
  const directory = process.argv[2] ?? join(ROOT, 'dist');
  await bundlePrograms(directory);
  process.stdout.write(`bundled ${Object.keys(PROGRAMS).join(', ')} into ${directory}\n`);
}
