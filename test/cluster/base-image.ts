import { join } from 'node:path';
import { makeBaseImage as makeImage } from '../../tools/image/base-image.ts';
import { withLock } from './lock.ts';
import { CACHE } from './place.ts';

/** The archive of the base image. */
const BASE_ARCHIVE = join(CACHE, 'images/base.tar');

/**
 * Makes the base image of `npm run image` once for each version of Node; half a minute.
 * @returns its archive
 */
export function makeBaseImage(say: (line: string) => void): Promise<string> {
  return withLock('base-image', async () => {
    await makeImage(BASE_ARCHIVE, say);
    return BASE_ARCHIVE;
  });
}
