import { createPrivateKey, X509Certificate } from 'node:crypto';

/** Intermediates that one chain may hold. */
const DEPTH = 8;

/** The certificates of a PEM text in order. @throws when one of them cannot be read */
export function readCertificates(pem: string): readonly X509Certificate[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[\s\S]*?-----END CERTIFICATE-----/g) ?? [];
  return blocks.map((block) => new X509Certificate(block));
}

/** The moment when a PEM text's first certificate ends, ms since the epoch; 0 where there is none. */
export function endOf(pem: string): number {
  try {
    return readCertificates(pem)[0]?.validToDate.getTime() ?? 0;
  } catch {
    return 0;
  }
}

/** Whether a private key is that of a certificate; PEM. */
export function isPair({ certificate, key }: { readonly certificate: string; readonly key: string }): boolean {
  try {
    return readCertificates(certificate)[0]?.checkPrivateKey(createPrivateKey(key)) === true;
  } catch {
    return false;
  }
}

/**
 * Whether a client that trusts a bundle would take a chain, its name aside: signatures up to a root of the bundle, and
 * every certificate on the way in its time.
 * @param chain PEM, the leaf first
 * @param bundle PEM
 */
export function chainsTo(chain: string, bundle: string, now: number): boolean {
  try {
    const [leaf, ...rest] = readCertificates(chain);
    return leaf !== undefined && isCurrent(leaf, now) && leadsTo(leaf, [rest, readCertificates(bundle)], now);
  } catch {
    return false;
  }
}

function leadsTo(
  leaf: X509Certificate,
  [rest, roots]: readonly [readonly X509Certificate[], readonly X509Certificate[]],
  now: number,
): boolean {
  let reached = [leaf];
  for (let depth = 0; depth < DEPTH && reached.length > 0; depth += 1) {
    if (reached.some((certificate) => roots.some((root) => isCurrent(root, now) && isIssuedBy(certificate, root))))
      return true;
    reached = rest.filter((issuer) => isCurrent(issuer, now) && reached.some((issued) => isIssuedBy(issued, issuer)));
  }
  return false;
}

function isIssuedBy(certificate: X509Certificate, issuer: X509Certificate): boolean {
  return issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

function isCurrent(certificate: X509Certificate, now: number): boolean {
  return certificate.validFromDate.getTime() <= now && now < certificate.validToDate.getTime();
}
