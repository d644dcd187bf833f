import type { CommandIo } from '#cli/io.ts';

/** A world in memory: files by path, and what was written to the streams. */
export function memoryIo(files: Record<string, string> = {}) {
  const modes = new Map<string, number>();
  const binaries = new Map<string, Uint8Array>();
  const written = { out: '', err: '' };
  const io: CommandIo = {
    stdin: (async function* () {})(),
    stdout: (text) => void (written.out += text),
    stderr: (text) => void (written.err += text),
    readFile: async (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (text === undefined) throw Object.assign(new Error(`no such file: ${path}`), { code: 'ENOENT' });
      return text;
    },
    writeFile: async (path, data, mode) => {
      if (typeof data === 'string') files[path] = data;
      else binaries.set(path, data);
      modes.set(path, mode);
    },
  };
  return { io, files, modes, binaries, out: () => written.out, err: () => written.err };
}
