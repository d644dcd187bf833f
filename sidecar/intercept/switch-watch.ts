import type { Socket } from 'node:net';
import { LIMIT } from '#contract/limit.ts';

/**
 * Watches the first answer of a server for 101 Switching Protocols, beside whoever else reads it.
 * @returns a function that tells once the final status is known; `false` also when the server says something else or leaves
 */
export function watchSwitch(upstream: Socket): (tell: (agreed: boolean) => void) => void {
  let held: Buffer = Buffer.alloc(0);
  let known: boolean | null = null;
  let listener: ((agreed: boolean) => void) | null = null;
  const settle = (agreed: boolean): void => {
    if (known !== null) return;
    known = agreed;
    held = Buffer.alloc(0);
    upstream.off('data', onData);
    listener?.(agreed);
  };
  const onData = (chunk: Buffer): void => {
    held = Buffer.concat([held, chunk]);
    const agreed = readSwitch(held);
    if (agreed !== null) settle(agreed);
  };
  upstream.on('data', onData).on('close', () => settle(false));
  return (tell) => {
    if (known !== null) tell(known);
    else listener = tell;
  };
}

/** @returns null while the final status is not known; interim answers before it are skipped (RFC 9110 §15.2) */
function readSwitch(bytes: Buffer): boolean | null {
  for (let at = 0; ; ) {
    const line = bytes.toString('latin1', at, at + 13);
    if (!'HTTP/1.'.startsWith(line.slice(0, 7)) && !line.startsWith('HTTP/1.')) return false;
    const status = /^HTTP\/1\.[01] (\d{3})[ \r\n]/.exec(line)?.[1];
    if (status === undefined) return line.length < 13 ? null : false;
    if (status === '101') return true;
    if (!status.startsWith('1')) return false;
    const end = bytes.indexOf('\r\n\r\n', at, 'latin1');
    if (end === -1) return bytes.length > LIMIT.headerBytes ? false : null;
    at = end + 4;
  }
}
