import type { Host } from '#contract/brand.ts';
import type { ConnectionPolicy } from '#contract/connection-policy.ts';
import { hostMatches } from '#contract/host.ts';
import type { Reason } from '#contract/reason.ts';
import { isLlmPath, lookupLlmHost } from '#contract/register.ts';
import type {
  Approach,
  ConnectionDecision,
  ConnectionSighting,
  Destination,
  RefusalForm,
  Sight,
} from './connection-decision.ts';
import { type AddressClass, classifyAddress, isSameAddress } from './address.ts';
import { isLlmOperation } from './llm-operation.ts';

type Verdict = ConnectionDecision extends infer D ? (D extends unknown ? Omit<D, 'check' | 'would'> : never) : never;
interface Facts extends ConnectionSighting {
  readonly policy: ConnectionPolicy;
  readonly class: AddressClass | 'named';
}
interface Check {
  readonly name: string;
  readonly verdict: (facts: Facts) => Verdict | null;
}

/** The first check that has a verdict decides; the last always has one, so what no check knows is refused. */
const CHECKS: readonly Check[] = [
  { name: 'destination is another machine', verdict: refuseLocal },
  { name: 'first bytes are unambiguous', verdict: refuseAmbiguous },
  { name: 'CONNECT is judged by its target', verdict: judgeConnect },
  { name: 'SOCKS leads past every judgment', verdict: refuseSocks },
  { name: 'TLS to an LLM or agreement host is terminated', verdict: terminateTls },
  { name: 'clear HTTP that is LLM traffic is examined', verdict: terminateClear },
  { name: 'private destination is passed', verdict: passPrivate },
  { name: 'listed destination is spliced', verdict: spliceListed },
  { name: 'everything else is refused', verdict: (facts) => refuse('destination_not_allowed', facts.sight) },
];

/**
 * Decides a connection by its destination and its first bytes (architecture, "Interception").
 * @param policy null while there is none: everything is refused, but LLM traffic is terminated so that the refusal can be read
 */
export function decideConnection(policy: ConnectionPolicy | null, sighting: ConnectionSighting): ConnectionDecision {
  const enforced = decideEnforced(policy ?? NOTHING, sighting);
  if (policy === null) return passesBytes(enforced) ? withoutPolicy(sighting.sight) : enforced;
  if (!policy.monitor || enforced.action !== 'refuse') return enforced;
  return monitored(enforced, sighting);
}

/**
 * Decides what can be decided before any byte: DNS over TCP goes to the configured resolvers only, DNS over TLS nowhere.
 * @param destination null in explicit-proxy mode, where the client names its target itself
 */
export function approachConnection(policy: ConnectionPolicy | null, destination: Destination | null): Approach {
  if (destination === null || 'host' in destination) return { look: 'look-first' };
  const decision = policy === null ? null : decideResolver(policy, destination);
  if (decision !== null) return { look: 'no', decision };
  if (policy === null) return { look: 'look-first' };
  const side = classifyAddress(destination.address, policy.clusterCidrs);
  // In monitor mode a server on a public address that speaks first must not be kept waiting either.
  return { look: side === 'private' || (policy.monitor && side === 'public') ? 'dial-first' : 'look-first' };
}

const NOTHING: ConnectionPolicy = {
  destinations: [],
  agreementHosts: [],
  clusterCidrs: [],
  resolvers: [],
  monitor: false,
};
const DNS_PORT = 53;
const DNS_OVER_TLS_PORT = 853;

function decideEnforced(policy: ConnectionPolicy, sighting: ConnectionSighting): ConnectionDecision {
  const { destination } = sighting;
  const named = destination === null || 'host' in destination;
  const facts: Facts = {
    ...sighting,
    policy,
    class: named ? 'named' : classifyAddress(destination.address, policy.clusterCidrs),
  };
  for (const { name, verdict } of CHECKS) {
    const found = verdict(facts);
    if (found !== null) return { ...found, check: name };
  }
  return { ...refuse('destination_not_allowed', sighting.sight), check: 'none' };
}

function decideResolver(
  policy: ConnectionPolicy,
  destination: { readonly address: string; readonly port: number },
): ConnectionDecision | null {
  const { address, port } = destination;
  if (port !== DNS_PORT && port !== DNS_OVER_TLS_PORT) return null;
  const check = 'DNS goes to the configured resolvers';
  if (port === DNS_PORT && policy.resolvers.some((resolver) => isSameAddress(resolver, address))) {
    return { action: 'opaque', follow: false, check };
  }
  return policy.monitor
    ? { action: 'opaque', follow: false, check, would: 'destination_not_allowed' }
    : { action: 'refuse', reason: 'destination_not_allowed', form: 'reset', check };
}

function refuseLocal(facts: Facts): Verdict | null {
  return facts.class === 'local' ? refuse('destination_not_allowed', facts.sight) : null;
}

function refuseAmbiguous({ sight, class: side }: Facts): Verdict | null {
  // Bytes that only resemble TLS may be any protocol on the private side; a request that two parsers read differently may not.
  if (sight.kind === 'ambiguous')
    return side === 'private' && sight.of === 'tls' ? null : refuse('protocol_not_allowed', sight);
  // A private connection on which a beginning of TLS or HTTP stalled: passing on a timeout would let a slow client around.
  return sight.kind === 'silent' && side === 'private' ? refuse('protocol_not_allowed', sight) : null;
}

function judgeConnect(facts: Facts): Verdict | null {
  if (facts.sight.kind !== 'connect') return null;
  const { target } = facts.sight;
  const ok =
    target !== null &&
    ('host' in target
      ? isWatched(facts.policy, target.host) || isListed(facts.policy, target.host)
      : isPrivate(facts.policy, target.address));
  return ok ? { action: 'tunnel', target } : refuse('destination_not_allowed', facts.sight);
}

function refuseSocks({ sight }: Facts): Verdict | null {
  return sight.kind === 'socks' ? refuse('destination_not_allowed', sight) : null;
}

function terminateTls({ sight, policy, destination, canIssue }: Facts): Verdict | null {
  if (sight.kind !== 'tls' || sight.host === null || !isWatched(policy, sight.host)) return null;
  if (!canIssue(sight.host)) return refuse('provider_not_approved', sight);
  return { action: 'terminate', host: sight.host, port: destination?.port ?? 443, secure: true };
}

function terminateClear(facts: Facts): Verdict | null {
  const { sight, policy, destination } = facts;
  if (sight.kind !== 'http') return null;
  const byPath = isLlmOperation(sight.method, sight.path);
  if (sight.host === null) return byPath ? refuse('agreement_missing', sight) : null;
  const row = lookupLlmHost(sight.host);
  const byHost = matchesAny(policy.agreementHosts, sight.host) || (row !== null && isLlmPath(row, sight.path));
  // A listed public name is spliced unseen over TLS, so its clear paths say nothing more; what is not listed is examined.
  const unlisted = isLocalSide(facts) || !isListed(policy, sight.host);
  if (!byHost && !(byPath && unlisted)) return null;
  return { action: 'terminate', host: sight.host, port: (sight.absolute ?? destination)?.port ?? 80, secure: false };
}

function passPrivate(facts: Facts): Verdict | null {
  const { kind } = facts.sight;
  const follow = kind === 'http' || kind === 'http2' || kind === 'line';
  return isLocalSide(facts) ? { action: 'opaque', follow } : null;
}

function spliceListed({ sight, policy, destination }: Facts): Verdict | null {
  if ((sight.kind !== 'tls' && sight.kind !== 'http') || sight.host === null || !isListed(policy, sight.host))
    return null;
  const absolute = sight.kind === 'http' ? sight.absolute : null;
  const port = (absolute ?? destination)?.port;
  return port === undefined ? null : { action: 'splice', host: sight.host, port, follow: sight.kind === 'http' };
}

/** Passed without a name. A request in absolute form speaks to a proxy, so the proxy's own address says nothing. */
function isLocalSide({ class: side, sight, policy }: Facts): boolean {
  if (sight.kind !== 'http' || sight.absolute === null) return side === 'private';
  return 'address' in sight.absolute && isPrivate(policy, sight.absolute.address) && side === 'private';
}

function isPrivate(policy: ConnectionPolicy, address: string): boolean {
  return classifyAddress(address, policy.clusterCidrs) === 'private';
}

/** Known to carry LLM traffic: terminated or refused, never spliced. */
function isWatched(policy: ConnectionPolicy, host: Host): boolean {
  return matchesAny(policy.agreementHosts, host) || lookupLlmHost(host) !== null;
}

/** A mixed-use LLM host may be listed for its other paths; that lets clear requests pass, never TLS. */
function isListed(policy: ConnectionPolicy, host: Host): boolean {
  const row = lookupLlmHost(host);
  return matchesAny(policy.destinations, host) && (row === null || row.paths !== undefined);
}

function matchesAny(patterns: readonly string[], host: Host): boolean {
  return patterns.some((pattern) => hostMatches(pattern, host));
}

function refuse(reason: Reason, sight: Sight): Verdict & { readonly action: 'refuse' } {
  return { action: 'refuse', reason, form: formOf(sight) };
}

function formOf(sight: Sight): RefusalForm {
  if (sight.kind === 'tls') return 'alert';
  if (sight.kind === 'ambiguous') return sight.of === 'tls' ? 'alert' : 'http';
  return sight.kind === 'http' || sight.kind === 'connect' ? 'http' : 'reset';
}

function passesBytes(decision: ConnectionDecision): boolean {
  return decision.action === 'splice' || decision.action === 'opaque' || decision.action === 'refuse';
}

function withoutPolicy(sight: Sight): ConnectionDecision {
  return { ...refuse('policy_missing', sight), check: 'a policy is there' };
}

function monitored(
  refused: ConnectionDecision & { readonly action: 'refuse' },
  sighting: ConnectionSighting,
): ConnectionDecision {
  const { destination, sight } = sighting;
  const { check, reason: would } = refused;
  if (sight.kind === 'connect' && sight.target !== null)
    return { action: 'tunnel', target: sight.target, check, would };
  if (destination !== null && 'address' in destination) return { action: 'opaque', follow: false, check, would };
  const host = sight.kind === 'tls' || sight.kind === 'http' ? sight.host : null;
  const port = (sight.kind === 'http' ? sight.absolute : null)?.port ?? destination?.port;
  return host === null || port === undefined ? refused : { action: 'splice', host, port, follow: false, check, would };
}
