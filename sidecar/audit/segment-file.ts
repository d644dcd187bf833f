import { close, constants, fdatasync, fstatSync, ftruncate, openSync, unlink, writev, writevSync } from 'node:fs';
import { join } from 'node:path';
import { LIMIT } from '#contract/limit.ts';
import { syncFolder } from './volume.ts';

const CREATE = constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY | constants.O_NOFOLLOW;

/** One append-only file of the spool. It is written by one flush at a time and never again after a fault. */
export class SegmentFile {
  readonly #fd: number;
  readonly #sync: boolean;
  readonly #path: string;
  #position = 0;

  private constructor(fd: number, path: string, sync: boolean) {
    this.#fd = fd;
    this.#path = path;
    this.#sync = sync;
  }

  /** Creates the file and makes its name durable. @throws when it exists or cannot be created. */
  static create(dir: string, name: string, sync: boolean): SegmentFile {
    const path = join(dir, name);
    const fd = openSync(path, CREATE, 0o600);
    if (sync) syncFolder(dir);
    return new SegmentFile(fd, path, sync);
  }

  /** Appends. Small groups go to the page cache at once, large ones do not hold up the thread. @throws on any fault. */
  async write(buffers: readonly Uint8Array[], bytes: number): Promise<void> {
    // An unlinked file takes writes and loses them with its last descriptor: somebody removed the evidence.
    if (fstatSync(this.#fd).nlink === 0) throw new Error('the spool segment was removed while it was written');
    const written =
      bytes <= LIMIT.spoolInlineBytes ? writevSync(this.#fd, buffers, this.#position) : await this.#writeAway(buffers);
    if (written !== bytes) throw new Error('the volume took only a part of the write');
    this.#position += bytes;
  }

  /** Makes what was written durable. After a failure the file must not be synced again: the kernel may have dropped the pages. */
  sync(): Promise<void> {
    if (!this.#sync) return Promise.resolve();
    return new Promise((resolve, reject) => {
      fdatasync(this.#fd, (error) => (error === null ? resolve() : reject(error)));
    });
  }

  /**
   * Ends writing. With `length`, what lies beyond it was never durable and is cut off, as far as the volume lets us: the whole
   * file when nothing of it was.
   */
  end(length?: number): void {
    const shut = (): void => close(this.#fd, () => undefined);
    if (length === undefined) shut();
    else if (length === 0) unlink(this.#path, shut);
    else ftruncate(this.#fd, length, shut);
  }

  #writeAway(buffers: readonly Uint8Array[]): Promise<number> {
    return new Promise((resolve, reject) => {
      writev(this.#fd, buffers, this.#position, (error, written) =>
        error === null ? resolve(written) : reject(error),
      );
    });
  }
}
