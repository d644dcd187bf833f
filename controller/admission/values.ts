import { z } from 'zod';
import { CIDR, RESOLVER } from '#contract/policy-field.ts';
import { formatCpu, formatMemory, parseQuantity } from './quantity.ts';

/**
 * The chart's values that decide how a pod is guarded. Groups that only admission reads are strict; groups shared with
 * other parts of the release, and the document itself, may hold more.
 */

const cpu = quantity('must be an amount of CPU such as 100m or 2', formatCpu);
const memory = quantity('must be an amount of memory such as 256Mi', formatMemory);
const name = z.string().regex(/^[a-z0-9]([a-z0-9-]{0,251}[a-z0-9])?$/, 'must be a Kubernetes name');
const noDollar = /^[^$\s]+$/;

const service = (url: string) =>
  z
    .url({ protocol: /^https$/ })
    .regex(noDollar)
    .default(url);

const image = (repository: string) =>
  z
    .strictObject({
      repository: z.string().regex(noDollar).default(repository),
      tag: z
        .string()
        .regex(/^[\w.-]{0,128}$/, 'must be an image tag')
        .default('0.1.0'),
      digest: z
        .string()
        .regex(/^(sha256:[0-9a-f]{64})?$/, 'must be sha256: and 64 hexadecimal digits')
        .default(''),
      pullPolicy: z.enum(['Always', 'IfNotPresent', 'Never']).default('IfNotPresent'),
    })
    .prefault({});

const resources = (request: readonly [string, string], limit: readonly [string, string]) =>
  z
    .strictObject({
      requests: z.strictObject({ cpu: cpu.prefault(request[0]), memory: memory.prefault(request[1]) }).prefault({}),
      limits: z.strictObject({ cpu: cpu.prefault(limit[0]), memory: memory.prefault(limit[1]) }).prefault({}),
    })
    .prefault({});

const SIDECAR = z
  .strictObject({
    image: image('lazaret/sidecar'),
    resources: resources(['50m', '128Mi'], ['1', '256Mi']),
    /** What an author may ask for by annotation. */
    bounds: z
      .strictObject({
        cpu: z.strictObject({ min: cpu.prefault('50m'), max: cpu.prefault('4') }).prefault({}),
        memory: z.strictObject({ min: memory.prefault('192Mi'), max: memory.prefault('1Gi') }).prefault({}),
      })
      .prefault({}),
    logLevel: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
    /** PEM: further roots for connections to providers. */
    upstreamRoots: z.string().max(65_536).default(''),
  })
  .prefault({});

const INIT = z
  .strictObject({ image: image('lazaret/init'), resources: resources(['10m', '64Mi'], ['1', '256Mi']) })
  .prefault({});

const NETWORK = z
  .object({
    clusterCIDRs: z.array(CIDR).default([]),
    /** Where the guard resolves names. The controller puts the cluster's DNS Service here when the chart names none. */
    resolvers: z.array(RESOLVER).min(1, 'must name at least one resolver').default(['10.96.0.10']),
    /** UDP destinations beside DNS, as ADDRESS:PORT or ADDRESS/BITS:PORT. */
    udpAllowed: z.array(z.string().regex(noDollar)).default([]),
  })
  .prefault({});

const ADMISSION = z
  .strictObject({
    /** HTTP proxies that applications may name, as URLs (B-38). */
    proxies: z.array(z.url({ protocol: /^(https?|socks5h?)$/ })).default([]),
    /** Container names of mesh proxies that were tested beside the guard (B-37). */
    mesh: z.array(name).default([]),
    /** Runtime classes that keep the node's packet filter (B-25). */
    runtimeClasses: z.array(name).default([]),
    /** Nameservers that a pod may bring itself, and names that hostAliases may give an address (B-28). */
    nameservers: z.array(z.string().regex(noDollar)).default([]),
    hostAliases: z.array(z.string().regex(noDollar)).default([]),
    /** A ConfigMap of the pod's namespace with the operator's own roots as PEM. */
    extraRootsConfigMap: z
      .strictObject({
        name,
        key: z
          .string()
          .regex(/^[-._a-zA-Z0-9]+$/)
          .default('ca.crt'),
      })
      .nullable()
      .default(null),
    /** Files of application images that are covered with all roots, for clients that read no variable. */
    overlayPaths: z.array(z.string().regex(/^\/[^$\0:]*[^$\0:/]$/, 'must be an absolute path of a file')).default([]),
  })
  .prefault({});

/** The values, with defaults such that `{}` works. */
export const ADMISSION_VALUES = z.object({
  global: z.object({ imageRegistry: z.string().default('') }).prefault({}),
  releaseNamespace: name.default('lazaret'),
  sidecar: SIDECAR,
  init: INIT,
  network: NETWORK,
  egress: z
    .object({
      proxy: z
        .url({ protocol: /^http$/ })
        .regex(noDollar)
        .nullable()
        .default(null),
    })
    .prefault({}),
  /** Where sidecars get their policy, and where they send their evidence. */
  controller: z.object({ bundleUrl: service('https://lazaret-controller.lazaret.svc:8444') }).prefault({}),
  collector: z.object({ url: service('https://lazaret-collector.lazaret.svc:8443') }).prefault({}),
  audit: z.object({ recipients: z.string().max(65_536).default('') }).prefault({}),
  admission: ADMISSION,
});

export type AdmissionValues = z.output<typeof ADMISSION_VALUES>;

/**
 * Reads the chart's values.
 * @returns the values, or every fault at once: the field and what to write
 */
export function parseAdmissionValues(
  values: unknown,
):
  | { readonly ok: true; readonly values: AdmissionValues }
  | { readonly ok: false; readonly faults: readonly string[] } {
  const parsed = ADMISSION_VALUES.safeParse(values ?? {});
  if (parsed.success) return { ok: true, values: parsed.data };
  return {
    ok: false,
    faults: parsed.error.issues.map((issue) => `values.${issue.path.map(String).join('.')}: ${issue.message}`),
  };
}

function quantity(message: string, format: (amount: number) => string) {
  return z.union([z.string(), z.number()]).transform((value, context): string => {
    const amount = parseQuantity(String(value));
    if (amount !== null && amount > 0) return format(amount);
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  });
}
