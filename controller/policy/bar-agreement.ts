import { AGREEMENT_SPEC, type AgreementSpec } from '#contract/agreement-schema.ts';
import { HOST_PATTERN, OPERATION } from '#contract/policy-field.ts';
import type { AgreementDocument } from '#contract/policy-schema.ts';

/**
 * An agreement that is not in force but still speaks for its hosts: `contract` is gone, so every request that it would have
 * decided is refused (`agreement_missing`). Leaving it out would widen, because a wider agreement would then speak in its place.
 */
export function barAgreement(document: AgreementDocument): AgreementDocument {
  return { ...document, spec: { ...document.spec, kind: 'api', contract: null, routesTo: [] } };
}

/**
 * What can be told of an agreement that cannot be read, as one that is not in force: its hosts, operations and regions, each where
 * it has the form of one. Operations that cannot be read stand for all that others list.
 * @param raw the object as the API server gives it
 * @param others the agreements that could be read
 */
export function barUnreadable(name: string, raw: unknown, others: readonly AgreementDocument[]): AgreementDocument {
  const spec = fieldOf(raw, 'spec');
  const match = fieldOf(spec, 'match');
  const given = textsOf(fieldOf(match, 'paths'));
  const read = given.map(tidyOperation).filter((path) => OPERATION.safeParse(path).success);
  const all = others.flatMap((other) => other.spec.match.paths);
  const paths = given.length > 0 && read.length === given.length ? read : [...read, ...all];
  const barred: AgreementSpec = {
    ...BASE,
    provider: textOf(fieldOf(spec, 'provider')),
    product: textOf(fieldOf(spec, 'product')),
    match: {
      ...BASE.match,
      hosts: [...new Set(textsOf(fieldOf(match, 'hosts')).map(tidyHost))].filter(
        (host) => HOST_PATTERN.safeParse(host).success,
      ),
      paths: [...new Set(paths)],
      regions: textsOf(fieldOf(match, 'regions')).filter((region) => /^[a-z0-9-]+$/.test(region)),
    },
  };
  return { apiVersion: 'lazaret.dev/v1alpha1', kind: 'ProviderAgreement', metadata: { name }, spec: barred };
}

const BASE: AgreementSpec = AGREEMENT_SPEC.parse({
  provider: 'unreadable',
  product: 'unreadable',
  match: { hosts: ['unreadable.invalid'], paths: ['GET /'] },
});

/** A URL where a host was asked for still says which host is meant. */
function tidyHost(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//, '')
    .replace(/[/?#].*$/s, '')
    .replace(/:\d+$/, '')
    .replace(/\.$/, '');
}

function tidyOperation(text: string): string {
  const [method = '', path = ''] = text.trim().split(/\s+/);
  return `${method.toUpperCase()} ${path.startsWith('/') ? path : `/${path}`}`;
}

function fieldOf(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, name)
    ? (value as Readonly<Record<string, unknown>>)[name]
    : undefined;
}

function textsOf(value: unknown): readonly string[] {
  return Array.isArray(value) ? value.map((item: unknown) => (typeof item === 'string' ? item : '')) : [];
}

function textOf(value: unknown): string {
  return typeof value === 'string' && value.trim() !== '' ? value.slice(0, 1_000) : 'unreadable';
}
