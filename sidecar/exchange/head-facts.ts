import { classifyCredential } from '#contract/policy-credential.ts';
import type { HeadFacts } from '#contract/policy-facts.ts';
import type { Operation } from '#llm/dialect.ts';
import { singleField } from './header-fields.ts';
import type { RequestUser } from './identify-user.ts';
import type { InboundRequest } from './ports.ts';

/** What policy may know of a request before its body is read. */
export function headFacts(request: InboundRequest, operation: Operation | null, user: RequestUser): HeadFacts {
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
    user: user.attribution,
    ...(typeof organization === 'string' ? { organization } : {}),
  };
}
