import type { CommandIo } from './io.ts';
import { UsageError } from './io.ts';

/** A command of `lazaret`: takes the arguments after its name, gives the exit code. */
export type Command = (args: readonly string[], io: CommandIo) => Promise<number>;

/** The commands by name, each loaded only when it is asked for. */
export type CommandTable = Readonly<
  Record<string, { readonly summary: string; readonly load: () => Promise<Command> }>
>;

export const COMMANDS: CommandTable = {
  scan: {
    summary: 'show the identifiers in a text as the guard finds them',
    load: async () => (await import('./scan.ts')).scan,
  },
  lists: {
    summary: 'turn your own names and numbers into a table for the sidecar',
    load: async () => (await import('./lists.ts')).lists,
  },
  keys: {
    summary: 'make the key pairs that audit records are sealed to',
    load: async () => (await import('./keys.ts')).keys,
  },
  admission: {
    summary: 'answer an admission review as the webhook would',
    load: async () => (await import('./admission.ts')).admission,
  },
  audit: {
    summary: 'list, verify and open the evidence of a store',
    load: async () => (await import('./audit.ts')).audit,
  },
  policy: {
    summary: 'sign, verify, explain and suggest policy',
    load: async () => (await import('./policy.ts')).policy,
  },
  doctor: {
    summary: 'look at a cluster: what is guarded, what is not, and what to do',
    load: async () => (await import('./doctor.ts')).doctor,
  },
};

/**
 * Runs one command line.
 * @returns the exit code: 0 done and fine, 1 a finding or a refusal, 2 wrong usage or input, 3 `--fail-on-find` found something.
 * Never rejects and never prints a stack trace, because an error's text could hold what was read.
 */
export async function runCommand(args: readonly string[], io: CommandIo, commands: CommandTable): Promise<number> {
  const [name, ...rest] = args;
  if (name === undefined || name === '--help' || name === '-h' || name === 'help') {
    if (name !== undefined) io.stdout(usage(commands));
    else io.stderr(usage(commands));
    return name === undefined ? 2 : 0;
  }
  const command = Object.hasOwn(commands, name) ? commands[name] : undefined;
  if (command === undefined) {
    io.stderr(`lazaret: there is no such command; it takes ${Object.keys(commands).join(', ')}\n`);
    return 2;
  }
  try {
    return await (await command.load())(rest, io);
  } catch (error) {
    io.stderr(
      `${error instanceof UsageError ? error.message : `lazaret ${name} failed${codeOf(error)}; nothing more was done`}\n`,
    );
    return 2;
  }
}

function usage(commands: CommandTable): string {
  const lines = Object.entries(commands).map(([name, { summary }]) => `  lazaret ${name.padEnd(10)} ${summary}`);
  return `${['Usage: lazaret COMMAND [--help]', ...lines].join('\n')}\n`;
}

/** The system's own code (`ENOENT`) tells what to look for; a message could repeat what was read. */
function codeOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  return typeof code === 'string' && /^[A-Z0-9_]{2,40}$/.test(code) ? ` (${code})` : '';
}
