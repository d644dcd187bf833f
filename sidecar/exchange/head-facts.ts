import { classifyCredential } from '#contract/policy-credential.ts';
import type { HeadFacts } from '#contract/policy-facts.ts';
import type { Operation } from '#llm/dialect.ts';
import { singleField } from './header-fields.ts';
import type { InboundRequest } from './ports.ts';

/** The field by which an application names its user; it never goes upstream. */
export const USER_FIELD = 'x-lazaret-user';

/** What policy may know of a request before its body is read. */
export function headFacts(request: InboundRequest, operation: Operation | null): HeadFacts {
  const { connection, headers, target } = request;
  const mark = target.indexOf('?');
  const organization = singleField(headers, 'openai-organization');
  return {
    host: connection.host,
    secure: connection.secure,
    method: request.method,
    path: mark < 0 ? target : target.slice(0, mark),
    dialect: operation?.dialect ?? null,
    credential: classifyCredential(headers),
    user: userOf(request) === null ? 'workload' : 'header',
    ...(organization === null ? {} : { organization }),
  };
}

/** The user that the header names, or null. Two names are none: whom would the record hold? */
export function userOf(request: InboundRequest): string | null {
  const user = singleField(request.headers, USER_FIELD);
  return user === null || user === 'several' || user.trim() === '' ? null : user.trim();
}
