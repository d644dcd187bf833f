import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { COMMANDS, runCommand } from './command.ts';
import type { CommandIo } from './io.ts';

const io: CommandIo = {
  stdin: process.stdin,
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  // Strict: text in another encoding must not be examined as something else than it is.
  readFile: async (path) => new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(await readFile(path)),
  writeFile: async (path, data, mode) => {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, data, { mode });
    // The mode of an existing file is not changed by writing it.
    await chmod(path, mode);
  },
};

// A reader that closes early (`lazaret ... | head`) is no fault of ours.
process.stdout.on('error', () => process.exit(0));
process.exitCode = await runCommand(process.argv.slice(2), io, COMMANDS);
