import { X509Certificate } from 'node:crypto';
import { parseArguments } from './arguments.ts';
import { openApi } from './doctor-api.ts';
import { type ClusterSnapshot, readCluster } from './doctor-cluster.ts';
import { checkImages, checkNamespaces, checkNodes, checkPods } from './doctor-guard.ts';
import { checkGuards } from './doctor-sidecars.ts';
import { checkAgreements, checkExemptions } from './doctor-policy.ts';
import { checkCollector, checkController } from './doctor-programs.ts';
import { takeSnapshot } from './doctor-read.ts';
import {
  type CertificateEnd,
  checkCertificates,
  checkKeys,
  checkPolicies,
  checkRelease,
  checkWebhooks,
} from './doctor-release.ts';
import type { Verdict } from './doctor-verdict.ts';
import { type CommandIo, UsageError } from './io.ts';

const HELP = `lazaret doctor [--namespace NAMESPACE] [--name NAME] [--json]

Looks at a cluster and says what is guarded, what is not and why, and what to do, a line each. It reads only; Secrets by name, never
their content. The cluster is the current context of KUBECONFIG, or the one it runs in. --namespace is the release's (default lazaret),
--name the name before its objects, where it is not found by itself.
Exit codes: 0 nothing is broken, 1 something is, 2 wrong usage or no cluster.
`;

/** `lazaret doctor`. @returns the exit code; @throws UsageError for wrong usage, and when the API server does not answer */
export async function doctor(args: readonly string[], io: CommandIo): Promise<number> {
  const given = parseArguments(args, { namespace: 'value', name: 'value', json: 'switch', help: 'switch' });
  if (given.has('help')) {
    io.stdout(HELP);
    return 0;
  }
  if (given.positionals.length > 0)
    throw new UsageError('lazaret doctor takes options only: see lazaret doctor --help');
  const release = { namespace: given.value('namespace') ?? 'lazaret', name: given.value('name') };
  const verdicts = examine(await takeSnapshot(openApi(), release), Date.now());
  for (const verdict of verdicts) io.stdout(given.has('json') ? `${JSON.stringify(verdict)}\n` : sentence(verdict));
  const broken = verdicts.filter(({ level }) => level === 'broken').length;
  if (!given.has('json'))
    io.stdout(broken === 0 ? 'nothing is broken\n' : `${broken} ${broken === 1 ? 'thing is' : 'things are'} broken\n`);
  return broken === 0 ? 0 : 1;
}

/**
 * What there is to say of a cluster.
 * @param now ms since 1970
 */
export function examine(snapshot: ClusterSnapshot, now: number): readonly Verdict[] {
  const cluster = readCluster(snapshot);
  const release = checkRelease(cluster);
  const guard = [...checkNodes(cluster), ...checkNamespaces(cluster), ...checkPods(cluster), ...checkGuards(cluster)];
  // Without a controller the rest would say the same thing many times.
  if (cluster.controller === null) return [...release, ...guard];
  return [
    ...release,
    ...checkController(cluster),
    ...checkCollector(cluster),
    ...checkWebhooks(cluster, now, endOf),
    ...checkPolicies(cluster),
    ...checkCertificates(cluster),
    ...checkKeys(cluster),
    ...guard,
    ...checkImages(cluster),
    ...checkAgreements(cluster, now),
    ...checkExemptions(cluster, now),
  ];
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The end of the certificate in a bundle that lasts longest: during a rotation the old one may end before. */
const endOf: CertificateEnd = (pem) => {
  const ends = [...pem.matchAll(PEM)].flatMap(([one]) => {
    try {
      return [Date.parse(new X509Certificate(one).validTo)];
    } catch {
      return [];
    }
  });
  return ends.length === 0 ? null : Math.max(...ends);
};

const MARK = { ok: 'ok    ', notice: 'notice', broken: 'BROKEN' } as const;

function sentence({ check, level, text, remedy }: Verdict): string {
  return `${MARK[level]} ${check.padEnd(12)} ${text}${remedy === null ? '' : `. Do: ${remedy}`}\n`;
}
