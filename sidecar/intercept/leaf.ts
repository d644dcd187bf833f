import { createSecureContext, type SecureContext } from 'node:tls';
import { createPrivateKey, createPublicKey, randomBytes, webcrypto } from 'node:crypto';
import type { Host } from '#contract/brand.ts';
import { LIMIT } from '#contract/limit.ts';
import { isCovered } from '#contract/register.ts';

/** The pod's name-constrained intermediate and the key of all leaf certificates, as lazaret-init made them. */
export interface LeafAuthority {
  readonly intermediate: { readonly certPem: string; readonly key: webcrypto.CryptoKey | string };
  /** PKCS #8 PEM. */
  readonly leafKey: string;
  /** The permitted dNSName suffixes of the intermediate. */
  readonly permitted: readonly string[];
}

const DAY_MS = 24 * 3_600_000;
const VALID_MS = 7 * DAY_MS;
/** A client's clock may be behind ours. */
const BACKDATED_MS = 3_600_000;
const CURVE = { name: 'ECDSA', namedCurve: 'P-256' } as const;
const SIGNATURE = { name: 'ECDSA', hash: 'SHA-256' } as const;

interface Entry {
  readonly context: Promise<SecureContext>;
  readonly renewAt: number;
}

/** Leaf contexts by host: the longest unused makes room, and one issue serves all that wait for it. */
export class LeafCache {
  private readonly ca: LeafAuthority;
  private readonly now: () => number;
  private readonly entries = new Map<Host, Entry>();
  private signer: Promise<Signer> | undefined;

  /** @param now milliseconds since the epoch */
  constructor(ca: LeafAuthority, now: () => number) {
    this.ca = ca;
    this.now = now;
  }

  /** Whether a certificate for this name would stand under the name constraints. */
  permits(host: Host): boolean {
    return isCovered(host, this.ca.permitted);
  }

  /**
   * The TLS context for a host, issued when there is none or the kept one has passed half of its life.
   * @throws Error when the name is outside the constraints or issuing fails
   */
  context(host: Host): Promise<SecureContext> {
    const known = this.entries.get(host);
    this.entries.delete(host);
    const entry = known !== undefined && known.renewAt > this.now() ? known : this.issue(host);
    this.entries.set(host, entry);
    const [oldest] = this.entries.keys();
    if (this.entries.size > LIMIT.leafCache && oldest !== undefined) this.entries.delete(oldest);
    return entry.context;
  }

  private issue(host: Host): Entry {
    const from = this.now();
    const context = this.createContext(host, from);
    const entry = { context, renewAt: from + VALID_MS / 2 };
    // A failure is not kept: the next connection tries again.
    context.catch(() => this.entries.get(host) === entry && this.entries.delete(host));
    return entry;
  }

  private loadSigner(): Promise<Signer> {
    const loading = this.signer ?? loadSigner(this.ca);
    this.signer = loading;
    loading.catch(() => {
      this.signer = undefined;
    });
    return loading;
  }

  private async createContext(host: Host, from: number): Promise<SecureContext> {
    if (!this.permits(host)) throw new Error('the name is outside the name constraints of the pod CA: restart the pod');
    const signer = await this.loadSigner();
    const pem = await signer.sign(host, from);
    return createSecureContext({
      key: this.ca.leafKey,
      cert: `${pem}\n${this.ca.intermediate.certPem}`,
      minVersion: 'TLSv1.2',
    });
  }
}

interface Signer {
  /** @param from milliseconds since the epoch. @returns the leaf's PEM */
  sign(host: Host, from: number): Promise<string>;
}

/** Loads the certificate library at the first need: most of its weight is never used by a pod that terminates nothing. */
async function loadSigner(ca: LeafAuthority): Promise<Signer> {
  await import('reflect-metadata');
  const x509 = await import('@peculiar/x509');
  x509.cryptoProvider.set(webcrypto);
  const issuer = new x509.X509Certificate(ca.intermediate.certPem);
  const signingKey = await importPrivateKey(ca.intermediate.key);
  const spki = createPublicKey(createPrivateKey(ca.leafKey)).export({ type: 'spki', format: 'der' });
  const publicKey = await webcrypto.subtle.importKey('spki', spki, CURVE, true, ['verify']);
  const keyId = issuer.getExtension(x509.SubjectKeyIdentifierExtension)?.keyId;
  if (keyId === undefined) throw new Error('the pod CA has no subject key identifier: make it anew with lazaret-init');
  return {
    async sign(host, from) {
      const leaf = await x509.X509CertificateGenerator.create({
        serialNumber: randomSerial(),
        subject: '',
        issuer: issuer.subject,
        notBefore: new Date(from - BACKDATED_MS),
        notAfter: new Date(from - BACKDATED_MS + VALID_MS),
        signingAlgorithm: SIGNATURE,
        publicKey,
        signingKey,
        extensions: [
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth]),
          // Copied, never computed again: some verifiers compare the two (RFC 5280 §4.2.1.1).
          new x509.AuthorityKeyIdentifierExtension(keyId),
          // Critical, because the subject is empty (RFC 5280 §4.2.1.6).
          new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: host }], true),
        ],
      });
      return leaf.toString('pem');
    },
  };
}

async function importPrivateKey(key: webcrypto.CryptoKey | string): Promise<webcrypto.CryptoKey> {
  if (typeof key !== 'string') return key;
  const der = createPrivateKey(key).export({ type: 'pkcs8', format: 'der' });
  return webcrypto.subtle.importKey('pkcs8', der, CURVE, false, ['sign']);
}

/** Positive and 128 bits of chance (RFC 5280 §4.1.2.2). */
function randomSerial(): string {
  return `01${randomBytes(16).toString('hex')}`;
}
