import { execFile } from 'node:child_process';
import { LIMIT } from '#contract/limit.ts';
import { InitError } from './init-error.ts';

/**
 * Hands rules to the kernel in one transaction: all of them or none.
 * @throws InitError when nft is missing, may not, or refuses a rule
 */
export async function loadRules(rules: string): Promise<void> {
  const answer = await new Promise<{ readonly error: Error | null; readonly stderr: string }>((resolve) => {
    const child = execFile('nft', ['-f', '-'], { timeout: LIMIT.nftMs }, (error, _stdout, stderr) => {
      resolve({ error, stderr });
    });
    // A program that ended before it read everything shows in its exit code.
    child.stdin?.on('error', () => undefined);
    child.stdin?.end(rules);
  });
  if (answer.error === null) return;
  if ('code' in answer.error && answer.error.code === 'ENOENT') {
    throw new InitError(
      'The program nft is missing: install nftables in this image (Debian, Ubuntu: apt-get install nftables).',
    );
  }
  const said = answer.stderr.split('\n').find((line) => line.trim() !== '') ?? 'nothing';
  if (/operation not permitted/i.test(said)) {
    throw new InitError('nftables may not be changed here: lazaret-init needs the capability NET_ADMIN.');
  }
  throw new InitError(`nftables refused the packet rules, so the pod cannot be guarded; nft said: ${said.trim()}`);
}
