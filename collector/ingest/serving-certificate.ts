import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { createSecureContext } from 'node:tls';
import { LIMIT } from '#contract/limit.ts';

/** A certificate chain and its private key, PEM. */
export interface ServingPair {
  readonly cert: string;
  readonly key: string;
}

/** Files with the certificate chain and its key; a mounted Secret replaces both by moving one link. */
export interface ServingFiles {
  readonly cert: string;
  readonly key: string;
}

/** What becomes of a certificate that changes under a running server. */
export interface ServingOptions {
  /** Takes a new pair into use. */
  readonly onChange: (pair: ServingPair) => void;
  /** New files that cannot be used; the pair in use stays. */
  readonly onFault: () => void;
  /** Ms between two looks. */
  readonly everyMs?: number;
}

/**
 * The server's certificate from mounted files, taken anew when they change. Files are read at intervals, because a Secret
 * volume replaces folders by links, which a watch on the file does not see.
 */
export class ServingCertificate {
  readonly #files: ServingFiles;
  #pair: ServingPair;
  /** A pair that was found unusable, so that it is complained about once. */
  #bad = '';
  #timer: NodeJS.Timeout | null = null;

  private constructor(files: ServingFiles, pair: ServingPair) {
    this.#files = files;
    this.#pair = pair;
  }

  /** @throws when the files cannot be read, or a TypeError when they hold no pair that can serve */
  static async load(files: ServingFiles): Promise<ServingCertificate> {
    const pair = await readPair(files);
    if (!canServe(pair))
      throw new TypeError(
        'the certificate and the key do not belong together: give PEM files of one certificate chain and its private key',
      );
    return new ServingCertificate(files, pair);
  }

  /** The pair in use. */
  get pair(): ServingPair {
    return this.#pair;
  }

  /** When the certificate in use ends, ms since 1970. */
  get expiresAt(): number {
    return Date.parse(new X509Certificate(this.#pair.cert).validTo);
  }

  /** Looks at the files from now on. */
  watch(options: ServingOptions): void {
    const look = (): void => void this.check(options);
    this.#timer ??= setInterval(look, options.everyMs ?? LIMIT.tlsReloadMs).unref();
  }

  /** Looks once. */
  async check({ onChange, onFault }: ServingOptions): Promise<void> {
    const pair = await readPair(this.#files).catch(() => null);
    if (pair !== null && pair.cert === this.#pair.cert && pair.key === this.#pair.key) return;
    if (pair === null || !canServe(pair)) {
      const bad = pair === null ? 'unreadable' : pair.cert + pair.key;
      if (bad !== this.#bad) onFault();
      this.#bad = bad;
      return;
    }
    this.#bad = '';
    this.#pair = pair;
    onChange(pair);
  }

  close(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
  }
}

async function readPair({ cert, key }: ServingFiles): Promise<ServingPair> {
  return { cert: await readFile(cert, 'utf8'), key: await readFile(key, 'utf8') };
}

/** Between two reads the link may have moved: a certificate of one pair and the key of another must never be served. */
function canServe(pair: ServingPair): boolean {
  try {
    createSecureContext(pair);
    return new X509Certificate(pair.cert).checkPrivateKey(createPrivateKey(pair.key));
  } catch {
    return false;
  }
}
