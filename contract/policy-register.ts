import { parseHost } from './host.ts';
import { lookupHost } from './register.ts';

/** What the register of known LLM hosts says about a host. */
export type KnownHost = NonNullable<ReturnType<typeof lookupHost>>;

/**
 * What the register says about a host pattern of policy. For `*.x` it is what holds for x itself or for all names below it;
 * single known hosts below x are still met by the decision, which looks up the very host.
 */
export function lookupPattern(pattern: string): KnownHost | null {
  const names = pattern.startsWith('*.') ? [pattern.slice(2), `any-name${pattern.slice(1)}`] : [pattern];
  for (const name of names) {
    const host = parseHost(name);
    const known = host === null ? null : lookupHost(host);
    if (known !== null && known !== undefined) return known;
  }
  return null;
}
