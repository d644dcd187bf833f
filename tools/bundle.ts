// Makes one file of each program, as the images hold them: less to read at start, less to keep in memory.
// Usage: node tools/bundle.ts [DIRECTORY]; the default is dist/. The files need Node 26, node_modules/koffi and package.json beside them.
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { build, type Plugin } from 'rolldown';

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
  load(id) {
    for (const [path, code] of Object.entries(TRIMMED)) if (id.endsWith(`/node_modules/${path}`)) return code;
    return null;
  },
  transform: {
    filter: { id: NEEDS_REFLECT },
    handler: (code) => `import 'reflect-metadata';\n${code}`,
  },
};

/**
 * V8 keeps a source of nothing but ASCII in half the memory, and the words of the detector are a large one. `charset` does it for code; this for
 * the names of authors in the notices of licences, which stay in the files.
 */
const asciiNotices: Plugin = {
  name: 'ascii-notices',
  generateBundle(_, files) {
    for (const file of Object.values(files))
      if (file.type === 'chunk') file.code = file.code.replaceAll(WIDE, escapeUnit);
  },
};

const WIDE = /[\u0080-\uffff]/g;

function escapeUnit(unit: string): string {
  return `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
}

/**
 * Bundles programs with all their libraries but koffi, whose half is machine code, into `NAME.js` files.
 * A program finds package.json one directory above itself, as in the checkout. Parts that are loaded at need stay files of their own.
 * @param directory made when it is missing
 * @throws Error which names the place
 */
export async function bundlePrograms(
  directory: string,
  programs: Readonly<Record<string, string>> = PROGRAMS,
): Promise<void> {
  await mkdir(directory, { recursive: true });
  await build({
    input: Object.fromEntries(Object.entries(programs).map(([out, file]) => [out, resolve(ROOT, file)])),
    cwd: ROOT,
    platform: 'node',
    // A CommonJS library that is imported at need would come without its named exports.
    resolve: { mainFields: ['module', 'main'] },
    transform: { target: 'node26' },
    external: ['koffi'],
    plugins: [trimLibraries, asciiNotices],
    logLevel: 'warn',
    output: {
      dir: directory,
      format: 'esm',
      charset: 'ascii',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk-[hash].js',
      // Names and constants stay as they are written: V8 compiles a constant as one, and looks a variable up at every use.
      minify: { compress: false, mangle: false, codegen: { removeWhitespace: true } },
    },
  });
}

if (import.meta.main) {
  const directory = process.argv[2] ?? join(ROOT, 'dist');
  await bundlePrograms(directory);
  process.stdout.write(`bundled ${Object.keys(PROGRAMS).join(', ')} into ${directory}\n`);
}
