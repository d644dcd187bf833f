import { spawn } from 'node:child_process';

/** What a program did. */
export interface CommandResult {
  readonly status: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** How a program is run. */
export interface CommandOptions {
  readonly cwd?: string;
  readonly env?: NodeJS.ProcessEnv;
  readonly input?: string | Uint8Array;
}

/** Runs a program to its end; never throws for its exit code. */
export function tryCommand(command: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  const [program = '', ...args] = command;
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout.on('data', (bytes: Buffer) => out.push(bytes));
    child.stderr.on('data', (bytes: Buffer) => err.push(bytes));
    child.once('error', reject);
    // A program that does not read its input is no fault.
    child.stdin.on('error', () => undefined);
    child.stdin.end(options.input ?? '');
    child.once('close', (code) =>
      resolve({
        status: code ?? 1,
        stdout: Buffer.concat(out).toString('utf8'),
        stderr: Buffer.concat(err).toString('utf8'),
      }),
    );
  });
}

/**
 * Runs a program that must succeed.
 * @returns its standard output
 * @throws with the end of what it said
 */
export async function runCommand(command: readonly string[], options: CommandOptions = {}): Promise<string> {
  const { status, stdout, stderr } = await tryCommand(command, options);
  if (status === 0) return stdout;
  const said = `${stderr}${stdout}`.trim().split('\n').slice(-15).join('\n');
  throw new Error(`${command.slice(0, 4).join(' ')} ended with ${status}: ${said}`);
}
