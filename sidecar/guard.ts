import { createHash, randomBytes } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import type { LookupFunction } from 'node:net';
import type { ChainId, ExchangeId } from '#contract/brand.ts';
import { formatSerial } from '#contract/bundle.ts';
import { LIMIT } from '#contract/limit.ts';
import { barKey, type BarredKeys, NO_BARRED_KEYS } from '#contract/policy-organization.ts';
import { type Audit, startAudit } from './audit/audit.ts';
import { parseRecipients } from './audit/recipients.ts';
import { readAuthority } from './authority.ts';
import { type Bundle, openBundle } from './bundle/bundle.ts';
import type { BundleServer } from './bundle/bundle-client.ts';
import type { SidecarConfig } from './config.ts';
import { BodyBudget } from './exchange/body-budget.ts';
import type { ExchangePorts } from './exchange/exchange-ports.ts';
import { createRequestRefusal } from './exchange/refuse-request.ts';
import { ThinkingMemory } from './exchange/thinking-memory.ts';
import { createExchangeHandler } from './exchange/run-exchange.ts';
import { recordOf } from './connection-record.ts';
import { createConnectionView } from './connection-view.ts';
import { createEgress } from './egress.ts';
import { openPodLists, type PodLists } from './lists/pod-lists.ts';
import type { InterceptOptions } from './intercept/options.ts';
import { readOriginalDestination } from './intercept/original-destination.ts';
import { type Intercept, startIntercept } from './intercept/start-intercept.ts';
import { reportConnection, reportExchange } from './ops/report.ts';
import type { Runtime } from './ops/runtime.ts';
import { holdWhileUnsafe, type SafeBundle } from './safe-bundle.ts';
import { watchStrangers } from './strangers.ts';
import { agreementHosts, warmUpEngine } from './warm-up.ts';
import type { Forwarder } from './upstream/forward.ts';
import { createResolve } from './upstream/resolve.ts';
import { createServiceLookup, readClusterDomain } from './upstream/service-lookup.ts';

/** The parts of a running guard that others ask or stop. */
export interface Guard {
  readonly bundle: Bundle;
  readonly audit: Audit;
  readonly forwarder: Forwarder;
  readonly intercept: Intercept;
  /** Whether policy names lists that were not had yet. */
  readonly waitsForLists: () => boolean;
}

/** Composes the guard and starts to intercept. Until this returns, the redirect leads to a closed port: nothing leaves. */
export async function startGuard(config: SidecarConfig, runtime: Runtime): Promise<Guard> {
  const { log } = runtime;
  const lookup = createServiceLookup(createResolve(config.LAZARET_RESOLVERS, Date.now), await readClusterDomain());
  const server = await bundleServerOf(config, lookup);
  const bundle = await openPodBundle(config, runtime, server);
  const audit = await startPodAudit(config, runtime, lookup);
  warmUpEngine();
  const lists = await openPodLists(config, runtime, { bundle, server });
  const { forwarder, resolve, dial } = await createEgress(config);
  const strangers = watchStrangers(config, runtime);
  const safe = holdWhileUnsafe(bundle, strangers.count);
  const ports = exchangePorts(config, runtime, { bundle, safe, audit, forwarder, lists });
  const view = createConnectionView(safe, Date.now);
  const refuse = createRequestRefusal(ports);
  const intercept = await startIntercept({
    ...interceptOptions(config, runtime),
    policy: view.policy,
    handler: createExchangeHandler(ports),
    refuse: (request, refusal) => refuse(request, { ...refusal, reason: view.reason(refusal.reason) }),
    resolve,
    dial,
    ca: await readAuthority(config.LAZARET_CA_DIR),
    onConnection: (closed) => {
      const record = { ...closed, reason: closed.reason === null ? null : view.reason(closed.reason) };
      reportConnection(runtime.metrics, log, record);
      const facts = recordOf(record);
      if (facts !== null) audit.evidence.connection(facts);
    },
  });
  for (const source of [bundle, strangers]) source.onChange(() => intercept.reconsider());
  // A pod that starts may get its first policy later; what is prepared already costs nothing.
  bundle.onChange(() => void intercept.prepare(agreementHosts(bundle.current())));
  await intercept.prepare(agreementHosts(bundle.current()));
  return { bundle, audit, forwarder, intercept, waitsForLists: lists.waiting };
}

interface Ready extends Omit<Guard, 'intercept' | 'waitsForLists'> {
  readonly safe: SafeBundle;
  readonly lists: PodLists;
}

function interceptOptions(
  config: SidecarConfig,
  runtime: Runtime,
): Pick<InterceptOptions, 'listen' | 'proxyMode' | 'originalDestination' | 'onDistrust' | 'now'> {
  return {
    listen: config.LAZARET_LISTEN,
    proxyMode: config.LAZARET_PROXY_MODE,
    originalDestination: readOriginalDestination,
    onDistrust: ({ host, sign, inRow }) => {
      runtime.metrics.distrust.inc();
      if (inRow >= 2)
        runtime.log.warn(
          { host, sign, inRow },
          'a client does not trust the pod CA: pinned certificate or roots of its own',
        );
    },
    now: Date.now,
  };
}

function exchangePorts(
  config: SidecarConfig,
  { log, metrics }: Runtime,
  { bundle, safe, audit, forwarder, lists }: Ready,
): ExchangePorts {
  let barred: BarredKeys = NO_BARRED_KEYS;
  return {
    now: Date.now,
    mono: () => performance.now(),
    mintId: exchangeIds(),
    policy: () => {
      const state = safe.state();
      const payload = bundle.payload();
      const serial = payload === null ? 'none' : formatSerial(payload.serial);
      return { policy: safe.current() ?? (state === 'current' ? 'missing' : state), barred, serial };
    },
    barKey: (fingerprint) => {
      barred = barKey(barred, fingerprint);
    },
    evidence: audit.evidence,
    forward: forwarder.forward,
    bodies: new BodyBudget(LIMIT.bodiesBytes, LIMIT.bodyWaitMs, (ms, then) => {
      const timer = setTimeout(then, ms);
      return { cancel: () => clearTimeout(timer) };
    }),
    thinking: new ThinkingMemory(randomBytes(32)),
    names: lists.names,
    workload: workloadOf(config),
    report: (report) => reportExchange(metrics, log, report),
    holdback: (delta) => metrics.holdback.inc(delta),
    fault: (fault, exchange) => log.error({ err: fault, exchange }, 'exchange failed'),
  };
}

/** The controller; null where bundles come as a file. */
async function bundleServerOf(config: SidecarConfig, lookup: LookupFunction): Promise<BundleServer | null> {
  const { LAZARET_BUNDLE_URL: url, LAZARET_BUNDLE_CA: roots, LAZARET_ENROL_TOKEN: tokenFile } = config;
  if (url === undefined || roots === undefined) return null;
  return { url, roots: await readFile(roots, 'utf8'), tokenFile, lookup };
}

async function openPodBundle(config: SidecarConfig, { log }: Runtime, server: BundleServer | null): Promise<Bundle> {
  return await openBundle({
    file: config.LAZARET_BUNDLE,
    keyFile: config.LAZARET_BUNDLE_KEY,
    now: Date.now,
    onFault: (problem) => log.warn({ problem }, 'policy bundle'),
    ...(server === null ? {} : { server }),
  });
}

/** An unreachable collector stops nothing; a spool at its watermark does. */
async function startPodAudit(config: SidecarConfig, { log, version }: Runtime, lookup: LookupFunction): Promise<Audit> {
  const { LAZARET_COLLECTOR_CA: roots, LAZARET_SPOOL_BYTES: quotaBytes } = config;
  return await startAudit({
    evidence: {
      dir: config.LAZARET_SPOOL,
      chain: config.LAZARET_CHAIN as ChainId,
      workload: workloadOf(config),
      version,
      config: createHash('sha256').update(JSON.stringify(config)).digest('base64url'),
      recipients: parseRecipients(await readFile(config.LAZARET_RECIPIENTS, 'utf8')),
      sync: config.LAZARET_SYNC,
      allowMemory: config.LAZARET_ALLOW_MEMORY_SPOOL,
      ...(quotaBytes === undefined ? {} : { quotaBytes }),
      onFault: (code) => log.error({ code }, 'the spool does not take records'),
    },
    collector: {
      url: config.LAZARET_COLLECTOR,
      tokenFile: config.LAZARET_ENROL_TOKEN,
      lookup,
      ...(roots === undefined ? {} : { ca: await readFile(roots, 'utf8') }),
    },
    onAlert: (why) => log.warn({ why }, 'evidence is not leaving the pod'),
  });
}

/** The workload as the platform names it. */
function workloadOf(config: SidecarConfig): string {
  return `${config.LAZARET_POD_NAMESPACE}/${config.LAZARET_SERVICE_ACCOUNT}/${config.LAZARET_POD_NAME}`;
}

/** Ids by chance for the process and by ordinal within it: unique without a draw for each exchange, and in order. */
function exchangeIds(): () => ExchangeId {
  const process = randomBytes(9).toString('hex');
  let ordinal = 0;
  return () => `x${process}${(++ordinal).toString(36).padStart(4, '0')}` as ExchangeId;
}
