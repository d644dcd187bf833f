import { createServer } from 'node:net';

/**
 * Keeps other runs of tests out of a slot for as long as this process lives: two runs in one cluster spoil each other. The name is a socket's in
 * Linux' abstract namespace (unix(7)), which ends with the process, however that ends, and leaves no file.
 * @throws Error where another run has the slot
 */
export function holdSlot(slot: number): Promise<void> {
  const server = createServer((socket) => socket.destroy()).unref();
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      const held = `other tests run in slot ${slot}: wait for their end, or name other slots: LAZARET_TEST_SLOT=2,3`;
      reject(error.code === 'EADDRINUSE' ? new Error(held) : error);
    });
    server.listen(`\0lazaret-cluster-tests-${slot}`, resolve);
  });
}
