import { fieldOf } from '../pod-facts.ts';
import type { PodFacts } from '../pod-facts.ts';
import type { Hit, Rule } from '../rule.ts';

/** Capabilities that let a process become the sidecar's user. */
export const BECOMING = ['SETFCAP', 'SETGID', 'SETPCAP', 'SETUID'] as const;
/** Capabilities that change or walk around the packet rules, or reach into other processes. */
const REACHING = ['NET_ADMIN', 'NET_RAW', 'SYS_ADMIN', 'SYS_PTRACE', 'SYS_MODULE', 'BPF', 'PERFMON', 'ALL'];
const HARMLESS = ['AUDIT_WRITE', 'CHOWN', 'DAC_OVERRIDE', 'FOWNER', 'FSETID', 'KILL', 'NET_BIND_SERVICE', 'SYS_CHROOT'];

/** Kubernetes' safe set (documentation "Using sysctls in a Kubernetes Cluster", 1.36). */
const SAFE_SYSCTLS = [
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ping_group_range',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.tcp_wmem',
];

/** What a process may do beyond an ordinary one. */
export const PRIVILEGE_RULES: readonly Rule[] = [
  {
    id: 'B-04',
    verdict: 'change',
    exemptible: true,
    title: 'A process changes its user: SETUID, SETGID, SETPCAP, SETFCAP, or privilege escalation',
    why: 'a process that can change its user can become the guard, which the packet rules let out.',
    instead:
      'Leave it out and start the image as the user that it needs (runAsUser); an image that must step down from root needs a GuardExemption for B-04.',
    check: (facts) => [
      ...addedCapabilities(facts, (name) => BECOMING.some((other) => other === name)),
      ...containerHits(
        facts,
        'allowPrivilegeEscalation',
        (security) => security.allowPrivilegeEscalation === true && security.privileged !== true,
      ),
    ],
  },
  {
    id: 'B-05',
    verdict: 'deny',
    exemptible: false,
    title: 'Privileged, or NET_ADMIN, NET_RAW, SYS_ADMIN, SYS_PTRACE, SYS_MODULE, BPF, PERFMON, ALL',
    why: 'it can remove the packet rules, send around them, or read the guard’s memory.',
    instead: 'Leave it out, or run this workload in a namespace of its own without PHI.',
    check: (facts) => [
      ...containerHits(facts, 'privileged', (security) => security.privileged === true),
      ...addedCapabilities(facts, (name) => REACHING.includes(name)),
    ],
  },
  {
    id: 'B-33',
    verdict: 'deny',
    exemptible: true,
    title: 'Any other added capability',
    why: 'only AUDIT_WRITE, CHOWN, DAC_OVERRIDE, FOWNER, FSETID, KILL, NET_BIND_SERVICE and SYS_CHROOT are known to leave the guard alone.',
    instead: 'Leave it out, or ask for a GuardExemption for B-33.',
    check: (facts) => addedCapabilities(facts, (name) => ![...HARMLESS, ...REACHING, ...BECOMING].includes(name)),
  },
  {
    id: 'B-34',
    verdict: 'deny',
    exemptible: true,
    title: 'A sysctl outside Kubernetes’ safe set',
    why: 'it can change how the pod’s packets are routed.',
    instead: 'Leave it out, or ask for a GuardExemption for B-34.',
    check: (facts) =>
      (facts.pod.spec?.securityContext?.sysctls ?? []).flatMap(({ name }, i) =>
        SAFE_SYSCTLS.includes((name ?? '').replaceAll('/', '.'))
          ? []
          : [{ field: fieldOf(facts, `spec.securityContext.sysctls[${i}]`) }],
      ),
  },
];

/** Runtimes take a capability with and without `CAP_`, in any case. */
function normalizeCapability(name: string): string {
  return name.trim().toUpperCase().replace(/^CAP_/, '');
}

function addedCapabilities(facts: PodFacts, matches: (name: string) => boolean): readonly Hit[] {
  return facts.containers.flatMap(({ field, container }) =>
    (container.securityContext?.capabilities?.add ?? []).flatMap((name, i) =>
      matches(normalizeCapability(name)) ? [{ field: `${field}.securityContext.capabilities.add[${i}]` }] : [],
    ),
  );
}

type Security = NonNullable<PodFacts['containers'][number]['container']['securityContext']>;

function containerHits(facts: PodFacts, name: string, broken: (security: Security) => boolean): readonly Hit[] {
  return facts.containers.flatMap(({ field, container: { securityContext } }) =>
    securityContext !== null && securityContext !== undefined && broken(securityContext)
      ? [{ field: `${field}.securityContext.${name}` }]
      : [],
  );
}
