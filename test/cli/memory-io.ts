import type { CommandIo } from '#cli/io.ts';

/** A world in memory: files by path, and what was written to the streams. */
export function memoryIo(files: Record<string, string> = {}) {
  const modes = new Map<string, number>();
  const written = { out: '', err: '' };
  const io: CommandIo = {
    stdin: (async function* () {})(),
    stdout: (text) => void (written.out += text),
    stderr: (text) => void (written.err += text),
    readFile: async (path) => {
      const text = Object.hasOwn(files, path) ? files[path] : undefined;
      if (text === undefined) throw new Error(`no such file: ${path}`);
      return text;
    },
    writeFile: async (path, text, mode) => {
      files[path] = text;
      modes.set(path, mode);
    },
  };
  return { io, files, modes, out: () => written.out, err: () => written.err };
}
