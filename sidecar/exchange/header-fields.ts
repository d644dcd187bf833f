import type { Fields } from './ports.ts';

const TOKENS = /^[A-Za-z0-9._-]+(, ?[A-Za-z0-9._-]+)*$/;
const WORD = /^[A-Za-z0-9][A-Za-z0-9._:/+ -]{0,63}$/;
const IDENTIFIER = /^[A-Za-z0-9_-]{1,128}$/;
const UUID =
  /^(?:stainless-node-retry-|stainless-python-retry-)?[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;
const SECRET = /^[\x21-\x7e]+(?: [\x21-\x7e]+)?$/;
/**
 * Product tokens, versions and short comments of software (RFC 9110 §10.1.5), and no long number. Whoever writes a person's
 * name in this form still gets it through: an application's code would have to do that on purpose.
 */
const AGENT =
  /^(?!.*\d{5})[A-Za-z][\w.-]{0,31}\/[\w.+-]{1,32}(?: (?:[A-Za-z][\w.-]{0,31}\/[\w.+-]{1,32}|v?\d[\w.+-]{0,31}|\([a-z0-9 ;:,._/-]{0,64}\))){0,6}$/;

/**
 * The request fields that belong to the providers' APIs, each with the shape of its value. All others stay in the
 * pod: a field that the API does not read can only carry a leak ("x-patient: ..."), and nobody examines it upstream.
 */
const KNOWN: ReadonlyMap<string, RegExp> = new Map([
  ['authorization', SECRET],
  ['x-api-key', SECRET],
  ['api-key', SECRET],
  ['anthropic-version', /^\d{4}-\d{2}-\d{2}$/],
  ['anthropic-beta', TOKENS],
  ['anthropic-dangerous-direct-browser-access', /^(true|false)$/],
  ['openai-organization', IDENTIFIER],
  ['openai-project', IDENTIFIER],
  ['openai-beta', /^[a-z0-9=, _-]{1,128}$/],
  ['idempotency-key', UUID],
  ['x-client-request-id', UUID],
  ['user-agent', AGENT],
  ['x-app', /^[a-z-]{1,32}$/],
  ['x-stainless-arch', WORD],
  ['x-stainless-async', WORD],
  ['x-stainless-helper', TOKENS],
  ['x-stainless-helper-method', WORD],
  ['x-stainless-lang', WORD],
  ['x-stainless-os', WORD],
  ['x-stainless-package-version', WORD],
  ['x-stainless-read-timeout', /^\d{1,8}(\.\d+)?$/],
  ['x-stainless-retry-count', /^\d{1,3}$/],
  ['x-stainless-runtime', WORD],
  ['x-stainless-runtime-version', WORD],
  ['x-stainless-timeout', /^\d{1,8}(\.\d+)?$/],
]);

/** Fields that concern one connection only, or that this side writes itself; dropping them is not worth counting. */
const OURS = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-lazaret-user',
]);

/**
 * The fields of a request as the provider gets them: what its API knows, in the caller's order, an identity coding
 * asked for so that the answer can be examined.
 * @param stream whether the answer may be an event stream
 * @returns the fields and how many of the caller's were left out
 */
export function upstreamFields(fields: Fields, stream: boolean): { readonly fields: Fields; readonly dropped: number } {
  const kept: (readonly [string, string])[] = [];
  let dropped = 0;
  for (const [name, value] of fields) {
    const lower = name.toLowerCase();
    if (OURS.has(lower)) continue;
    if (KNOWN.get(lower)?.test(value) === true) kept.push([lower, value]);
    else dropped++;
  }
  kept.push(['accept', stream ? 'text/event-stream, application/json' : 'application/json']);
  kept.push(['accept-encoding', 'identity'], ['content-type', 'application/json']);
  return { fields: kept, dropped };
}

/** Hop-by-hop fields (RFC 9110 §7.6.1) and those that would lead the client around the guard (Alt-Svc: RFC 7838). */
const NOT_RETURNED = new Set([
  'alt-svc',
  'connection',
  'content-encoding',
  'content-length',
  'keep-alive',
  'proxy-authenticate',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The fields of a provider's answer as the client gets them. Their values are never restored: they are not content.
 * @param keepCoding the body is relayed as it is, so its coding must still be named
 */
export function clientFields(fields: Fields, keepCoding = false): Fields {
  const listed = new Set(
    fields.filter(([name]) => name === 'connection').flatMap(([, value]) => value.toLowerCase().split(/[\s,]+/)),
  );
  return fields.filter(
    ([name]) => (!NOT_RETURNED.has(name) || (keepCoding && name === 'content-encoding')) && !listed.has(name),
  );
}

/** Fields of one connection, which are written anew, and the user's, which are for us. */
const NOT_OBSERVED = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'proxy-connection',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
  'x-lazaret-user',
]);

/**
 * The fields of an observed request: all but those of one connection and of the user.
 * @param tokenField the field that carries the user's token, where policy knows one
 */
export function observedFields(fields: Fields, tokenField: string | null): Fields {
  return fields.filter(([name]) => !NOT_OBSERVED.has(name.toLowerCase()) && name.toLowerCase() !== tokenField);
}

/** What {@link singleField} says of a field that came more than once: two readers could take different ones. */
export const SEVERAL = Symbol('several');

/** @returns the only value of a field, null when it is absent, or `SEVERAL` */
export function singleField(fields: Fields, name: string): string | null | typeof SEVERAL {
  const values = fields.filter(([known]) => known.toLowerCase() === name).map(([, value]) => value);
  return values.length > 1 ? SEVERAL : (values[0] ?? null);
}
