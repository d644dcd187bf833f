import { execFile } from 'node:child_process';

const MOST_OUTPUT = 64 * 1024 * 1024;

/**
 * Runs a program that must succeed.
 * @returns its standard output
 * @throws Error with the end of what it said
 */
export function runCommand(command: readonly string[], env: NodeJS.ProcessEnv = process.env): Promise<string> {
  const [program = '', ...words] = command;
  return new Promise((resolve, reject) => {
    execFile(program, words, { env, maxBuffer: MOST_OUTPUT, encoding: 'utf8' }, (error, stdout, stderr) => {
      if (error === null) return resolve(stdout);
      const said = `${stderr}${stdout}`.trim().split('\n').slice(-15).join('\n');
      reject(new Error(`${command.slice(0, 4).join(' ')} ended with ${String(error.code)}: ${said || error.message}`));
    });
  });
}
