import { createCipheriv, type KeyObject } from 'node:crypto';
import { compactDecrypt, generalDecrypt, type GeneralJWE, type JWK, importJWK } from 'jose';
import { isExchangeId } from './chain.ts';
import { parseJson } from './chain-signature.ts';

/** What a sealed part is a piece of: the bytes sent, the vault, the user's id, the provider's answer, an unlisted host name. */
const SEALED_KINDS = ['sent', 'vault', 'user', 'received', 'host'] as const;
export type SealedKind = (typeof SEALED_KINDS)[number];

/** The place of a part: of which record, what, and its number from 0. It stands in the protected header, so parts cannot be swapped. */
export interface PartName {
  readonly record: string;
  readonly kind: SealedKind;
  readonly part: number;
}

/** `alg` and `enc` are pinned: a reader never takes an algorithm from what it reads. */
export const KEY_WRAP = { alg: 'ECDH-ES+A256KW', enc: 'A256GCM' } as const;
const DIRECT = { alg: 'dir', enc: 'A256GCM' } as const;
const TAG_BYTES = 16;
const IV_BYTES = 12;

/**
 * Seals one part as a compact JWE (RFC 7516 §7.1; `dir` of RFC 7518 §4.5, so its encrypted key is empty).
 * @param key the segment's content key, 32 bytes
 * @param nonce 12 bytes that this key never saw before
 * @param plain the part's bytes, in pieces
 */
export function sealPart(
  key: { readonly secret: KeyObject; readonly kid: string },
  nonce: Uint8Array,
  name: PartName,
  plain: readonly Uint8Array[],
): Buffer {
  const header = { ...DIRECT, kid: key.kid, rec: name.record, kind: name.kind, part: name.part };
  const aad = Buffer.from(JSON.stringify(header)).toString('base64url');
  const cipher = createCipheriv('aes-256-gcm', key.secret, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(Buffer.from(aad, 'latin1'));
  const pieces = plain.map((piece) => cipher.update(piece));
  cipher.final();
  const head = `${aad}..${Buffer.from(nonce.buffer, nonce.byteOffset, IV_BYTES).toString('base64url')}.`;
  return writeCompact(head, pieces, `.${cipher.getAuthTag().toString('base64url')}`);
}

/** Base64url of so many bytes at a time (a multiple of 3): a text of a whole part would be garbage of its size, and so would its copy. */
const STRIDE = 3 * 8 * 1024;

function writeCompact(head: string, pieces: readonly Buffer[], tail: string): Buffer {
  const sealed = pieces.length === 1 ? (pieces[0] ?? Buffer.alloc(0)) : Buffer.concat(pieces);
  const jwe = Buffer.allocUnsafe(head.length + Math.ceil((sealed.length * 4) / 3) + tail.length);
  let at = jwe.write(head, 'latin1');
  for (let from = 0; from < sealed.length; from += STRIDE)
    at += jwe.write(sealed.toString('base64url', from, Math.min(from + STRIDE, sealed.length)), at, 'latin1');
  jwe.write(tail, at, 'latin1');
  return jwe;
}

/** Reads the name of a sealed part without a key. @returns null when the bytes are no sealed part of ours. */
export function parsePartName(jwe: Uint8Array): (PartName & { readonly kid: string }) | null {
  const end = jwe.indexOf(0x2e);
  if (end <= 0) return null;
  const header = objectOf(
    Buffer.from(Buffer.from(jwe.subarray(0, end)).toString('latin1'), 'base64url').toString('utf8'),
  );
  if (header?.alg !== DIRECT.alg || header.enc !== DIRECT.enc) return null;
  const { kid, rec, part } = header;
  const kind = SEALED_KINDS.find((known) => known === header.kind);
  if (typeof kid !== 'string' || typeof rec !== 'string' || !isExchangeId(rec) || kind === undefined) return null;
  return typeof part === 'number' && Number.isSafeInteger(part) && part >= 0 ? { kid, record: rec, kind, part } : null;
}

/**
 * Unwraps a segment's content key.
 * @param jwe the payload of a `key` frame
 * @param privateKey auditor's or escrow's private JWK
 * @throws when the key is no recipient of this segment or the JWE is not ours
 */
export async function openContentKey(
  jwe: Uint8Array,
  privateKey: JWK,
): Promise<{ readonly kid: string; readonly secret: Uint8Array }> {
  const parsed = objectOf(Buffer.from(jwe).toString('utf8')) as GeneralJWE | null;
  if (parsed === null) throw new TypeError('the content key is not JSON');
  const opened = await generalDecrypt(parsed, await importJWK(privateKey, KEY_WRAP.alg), {
    keyManagementAlgorithms: [KEY_WRAP.alg],
    contentEncryptionAlgorithms: [KEY_WRAP.enc],
  });
  const kid = contentKeyId(parsed);
  if (kid === null || opened.plaintext.length !== 32)
    throw new TypeError('the content key has no id or a wrong length');
  return { kid, secret: opened.plaintext };
}

/** Opens a sealed part. @throws when it was changed or sealed under another key. */
export async function openPart(jwe: Uint8Array, secret: Uint8Array): Promise<Uint8Array> {
  const opened = await compactDecrypt(jwe, secret, {
    keyManagementAlgorithms: [DIRECT.alg],
    contentEncryptionAlgorithms: [DIRECT.enc],
  });
  return opened.plaintext;
}

/** The id of the content key that a key frame wraps: it stands in the protected header as `cek`. */
function contentKeyId(jwe: { readonly protected?: string }): string | null {
  const header =
    jwe.protected === undefined ? null : objectOf(Buffer.from(jwe.protected, 'base64url').toString('utf8'));
  return typeof header?.cek === 'string' ? header.cek : null;
}

function objectOf(text: string): Readonly<Record<string, unknown>> | null {
  const value = parseJson(text);
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : null;
}
