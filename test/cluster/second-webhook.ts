import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';
import { stringify } from 'yaml';
import { makeTestAuthority } from '#test/fake/test-authority.ts';
import { applyYaml, PLACE, tryKubectl } from './test-cluster.ts';

/** A JSON patch, RFC 6902. */
export type Patch = readonly Readonly<Record<string, unknown>>[];

/** Another team's mutating webhook. */
export interface SecondWebhook {
  /** How often it was asked. */
  readonly asked: () => number;
  readonly close: () => Promise<void>;
}

/** How it is registered. */
export interface SecondWebhookOptions<Pod> {
  /** The API server asks in the order of the names: `zz-` runs after ours, `aa-` before. */
  readonly name: string;
  readonly namespace: string;
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded';
  readonly patchOf: (pod: Pod) => Patch;
}

const KIND = 'mutatingwebhookconfiguration';

/** Registers a mutating webhook for the pods of one namespace, served by this process. */
export async function startSecondWebhook<Pod>(options: SecondWebhookOptions<Pod>): Promise<SecondWebhook> {
  const { name, namespace, reinvocationPolicy = 'Never', patchOf } = options;
  const authority = await makeTestAuthority();
  const { certificate, key } = await authority.issue(PLACE.hostAddress);
  let asked = 0;
  const server = createServer({ cert: certificate, key }, (incoming, outgoing) => {
    asked += 1;
    void json(incoming).then((review) => {
      const { uid, object } = (review as { readonly request: { readonly uid: string; readonly object: Pod } }).request;
      const patch = Buffer.from(JSON.stringify(patchOf(object))).toString('base64');
      const response = { uid, allowed: true, patchType: 'JSONPatch', patch };
      outgoing.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response }));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '0.0.0.0', resolve));
  const webhook = {
    name: 'second.example.org',
    clientConfig: {
      url: `https://${PLACE.hostAddress}:${(server.address() as AddressInfo).port}/`,
      caBundle: Buffer.from(authority.root).toString('base64'),
    },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': namespace } },
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    reinvocationPolicy,
  };
  const apiVersion = 'admissionregistration.k8s.io/v1';
  await applyYaml(
    stringify({ apiVersion, kind: 'MutatingWebhookConfiguration', metadata: { name }, webhooks: [webhook] }),
  );
  return {
    asked: () => asked,
    close: async () => {
      await tryKubectl(['delete', KIND, name, '--ignore-not-found']);
      await stopServer(server);
    },
  };
}

function stopServer(server: Server): Promise<void> {
  return new Promise((resolve) => {
    server.close(() => resolve());
    server.closeAllConnections();
  });
}
