import fc from 'fast-check';
import { LABEL } from '#contract/labels.ts';

/** Mostly harmless values, sometimes one that breaks a rule, so that many pods are admitted and many are denied. */
const rarely = <T>(harmless: fc.Arbitrary<T>, harmful: fc.Arbitrary<T>) =>
  fc.oneof({ arbitrary: harmless, weight: 30 }, { arbitrary: harmful, weight: 1 });
const maybe = <T>(arbitrary: fc.Arbitrary<T>) =>
  fc.oneof(
    { arbitrary: fc.constant(undefined), weight: 3 },
    { arbitrary: fc.constant(null), weight: 1 },
    { arbitrary, weight: 3 },
  );
const unknowns = fc.dictionary(
  fc.constantFrom('x-future', 'unknown', '__proto__', 'a/b~c'),
  fc.jsonValue({ maxDepth: 2 }),
  { maxKeys: 2 },
);
const id = fc.oneof(fc.integer({ min: 0, max: 70_000 }), fc.constantFrom(0, 1_000, 20_000, 59_999, 64_646));
const capability = rarely(
  fc.constantFrom('CHOWN', 'CAP_KILL', 'fowner', 'NET_BIND_SERVICE'),
  fc.constantFrom('NET_ADMIN', 'cap_setuid', 'ALL', 'IPC_LOCK'),
);
const drop = fc.array(fc.constantFrom('ALL', 'NET_RAW', 'CAP_NET_RAW', 'SETUID', 'MKNOD', 'all'), { maxLength: 4 });

const security = fc.record({
  runAsUser: maybe(id),
  runAsGroup: maybe(id),
  runAsNonRoot: maybe(fc.boolean()),
  privileged: maybe(rarely(fc.constant(false), fc.constant(true))),
  allowPrivilegeEscalation: maybe(rarely(fc.constant(false), fc.constant(true))),
  capabilities: maybe(
    fc.record({
      add: maybe(fc.array(capability, { maxLength: 2 })),
      drop: maybe(drop),
      future: maybe(fc.jsonValue({ maxDepth: 1 })),
    }),
  ),
});
const variable = fc.record({
  name: rarely(
    fc.constantFrom('A', 'SSL_CERT_FILE', 'NODE_EXTRA_CA_CERTS', 'NO_PROXY'),
    fc.constantFrom('HTTPS_PROXY', 'JAVA_TOOL_OPTIONS'),
  ),
  value: fc.constantFrom('', '1', '-Xmx1g', '/run/lazaret/trust/all-roots.pem', '$(A)'),
});
const mount = fc.record({
  name: rarely(fc.constantFrom('data', 'lazarette'), fc.constantFrom('lazaret-ca', 'lazaret-trust')),
  mountPath: rarely(
    fc.constantFrom('/data', '/etc/ssl/cert.pem', '/run'),
    fc.constantFrom('/run/lazaret/trust', '/run/lazaret'),
  ),
  readOnly: maybe(fc.boolean()),
});
const container = (names: fc.Arbitrary<string>) =>
  fc
    .tuple(
      fc.record({
        name: names,
        image: maybe(fc.constantFrom('a:1', 'b')),
        command: maybe(fc.constant(['run'])),
        env: maybe(fc.array(variable, { maxLength: 5 })),
        volumeMounts: maybe(fc.array(mount, { maxLength: 3 })),
        ports: maybe(
          fc.array(fc.record({ containerPort: rarely(fc.constant(8080), fc.constant(15_020)) }), { maxLength: 2 }),
        ),
        securityContext: maybe(security),
      }),
      unknowns,
    )
    .map(([known, unknown]) => ({ ...unknown, ...known }));
const names = rarely(
  fc.constantFrom('app', 'web', 'worker'),
  fc.constantFrom('lazaret-sidecar', 'istio-proxy', 'lazaret-x'),
);

const spec = fc
  .tuple(
    fc.record({
      containers: maybe(fc.array(container(names), { maxLength: 3 })),
      initContainers: maybe(
        fc.array(container(fc.oneof(names, fc.constantFrom('lazaret-init', 'lazaret-sidecar'))), { maxLength: 4 }),
      ),
      volumes: maybe(
        fc.array(
          fc.record({
            name: rarely(fc.constantFrom('data', 'lazaret-trust', 'lazaret-ca'), fc.constant('lazaret-x')),
            emptyDir: fc.constant({}),
          }),
          { maxLength: 4 },
        ),
      ),
      securityContext: maybe(
        fc.record({
          runAsUser: maybe(id),
          fsGroup: maybe(id),
          supplementalGroups: maybe(fc.array(id, { maxLength: 3 })),
        }),
      ),
      hostNetwork: maybe(rarely(fc.constant(false), fc.constant(true))),
      hostUsers: maybe(rarely(fc.constant(true), fc.constant(false))),
      terminationGracePeriodSeconds: maybe(fc.integer({ min: 0, max: 60 })),
    }),
    unknowns,
  )
  .map(([known, unknown]) => ({ ...unknown, ...known }));
const annotations = fc.dictionary(
  rarely(
    fc.constantFrom('example.org/a', 'lazaret.dev/mark', 'kubectl.kubernetes.io/default-container'),
    fc.constantFrom('lazaret.dev/skip', 'lazaret.dev/sidecar-cpu'),
  ),
  fc.constantFrom('x', '1', '{"v":1}'),
  { maxKeys: 2 },
);
/** Pods in scope as an API server hands them over, and others that it never would. */
export const pods = fc
  .tuple(spec, maybe(annotations), fc.constantFrom('true', 'true', 'true', 'false', 'yes'), unknowns)
  .map(([made, notes, phi, unknown]) =>
    clean({
      ...unknown,
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { generateName: 'a-', labels: { [LABEL.phi]: phi }, annotations: notes, ...unknown },
      spec: made,
    }),
  );
/** As JSON: without fields that are undefined. */
export function clean(value: unknown): Record<string, unknown> {
  return JSON.parse(JSON.stringify(value));
}
