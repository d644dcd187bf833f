// First, because @peculiar/x509 reads metadata when it is loaded.
import 'reflect-metadata';
import { generateKeyPairSync, randomBytes, webcrypto } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { JsonGeneralName } from '@peculiar/x509';
import {
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  PemConverter,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509';
import { stringify } from 'yaml';
import type { ClusterPlace } from './place.ts';
import { NODE_NAME } from './place.ts';

const ECDSA = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const DAY_MS = 86_400_000;

/** Who the parts of the cluster are to the API server (kubernetes.io, "PKI certificates and requirements"). */
const CLIENTS = {
  admin: 'CN=admin,O=system:masters',
  'kubelet-client': 'CN=apiserver-kubelet-client,O=system:masters',
  'controller-manager': 'CN=system:kube-controller-manager',
  scheduler: 'CN=system:kube-scheduler',
  kubelet: `CN=system:node:${NODE_NAME},O=system:nodes`,
  proxy: 'CN=system:kube-proxy',
} as const;

/** A part that talks to the API server under a name of its own. */
export type ClientName = keyof typeof CLIENTS;

/** The path of a client's kubeconfig; only the administrator's is for outside. */
export function kubeconfigOf(place: ClusterPlace, client: ClientName): string {
  return client === 'admin' ? place.kubeconfig : join(place.state, 'pki', `${client}.kubeconfig`);
}

/** Writes the cluster's authority, its certificates and the kubeconfigs of all its parts. */
export async function writeAuthority(place: ClusterPlace): Promise<void> {
  const dir = join(place.state, 'pki');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const { root, issue } = await makeAuthority();
  const save = (name: string, text: string): Promise<void> => writeFile(join(dir, name), text, { mode: 0o600 });
  await save('ca.crt', root.certificate);
  await save('ca.key', root.key);
  const names = ['kubernetes', 'kubernetes.default', 'kubernetes.default.svc', 'kubernetes.default.svc.cluster.local'];
  const server = await issue('CN=kube-apiserver', [
    ...[...names, 'localhost'].map((value) => ({ type: 'dns' as const, value })),
    ...[place.nodeAddress, place.apiAddress, '127.0.0.1'].map((value) => ({ type: 'ip' as const, value })),
  ]);
  await save('apiserver.crt', server.certificate);
  await save('apiserver.key', server.key);
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await save('accounts.key', privateKey.export({ type: 'sec1', format: 'pem' }));
  await save('accounts.pub', publicKey.export({ type: 'spki', format: 'pem' }));
  for (const [name, subject] of Object.entries(CLIENTS) as [ClientName, string][]) {
    const client = await issue(subject, []);
    await save(`${name}.crt`, client.certificate);
    await save(`${name}.key`, client.key);
    const config = clientConfig(`https://${place.nodeAddress}:6443`, root.certificate, client);
    await writeFile(kubeconfigOf(place, name), config, { mode: 0o600 });
  }
}

interface PemPair {
  readonly certificate: string;
  readonly key: string;
}

async function makeAuthority() {
  const keys = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
  const validity = { notBefore: new Date(Date.now() - DAY_MS), notAfter: new Date(Date.now() + 30 * DAY_MS) };
  const pkcs8 = async (key: webcrypto.CryptoKey): Promise<string> =>
    `${PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY')}\n`;
  const certificate = await X509CertificateGenerator.createSelfSigned(
    {
      serialNumber: serialNumber(),
      name: 'CN=test-cluster',
      ...validity,
      signingAlgorithm: ECDSA,
      keys,
      extensions: [
        new BasicConstraintsExtension(true, undefined, true),
        new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      ],
    },
    webcrypto,
  );
  const issue = async (subject: string, names: JsonGeneralName[]): Promise<PemPair> => {
    const own = await webcrypto.subtle.generateKey(ECDSA, true, ['sign', 'verify']);
    const usage = names.length > 0 ? ExtendedKeyUsage.serverAuth : ExtendedKeyUsage.clientAuth;
    const leaf = await X509CertificateGenerator.create(
      {
        serialNumber: serialNumber(),
        subject,
        issuer: certificate.subject,
        ...validity,
        publicKey: own.publicKey,
        signingAlgorithm: ECDSA,
        signingKey: keys.privateKey,
        extensions: [
          new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
          new ExtendedKeyUsageExtension([usage]),
          ...(names.length > 0 ? [new SubjectAlternativeNameExtension(names)] : []),
        ],
      },
      webcrypto,
    );
    return { certificate: `${leaf.toString('pem')}\n`, key: await pkcs8(own.privateKey) };
  };
  return {
    root: { certificate: `${certificate.toString('pem')}\n`, key: await pkcs8(keys.privateKey) },
    issue,
  };
}

function clientConfig(server: string, authority: string, client: PemPair): string {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  return stringify(
    {
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'test', cluster: { server, 'certificate-authority-data': base64(authority) } }],
      users: [
        {
          name: 'test',
          user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) },
        },
      ],
      contexts: [{ name: 'test', context: { cluster: 'test', user: 'test' } }],
      'current-context': 'test',
    },
    { lineWidth: 0 },
  );
}

function serialNumber(): string {
  return `01${randomBytes(8).toString('hex')}`;
}
