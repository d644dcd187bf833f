// Certificates from outside the chart: an authority made with openssl, and a stand-in for cert-manager, which needs the world to be installed.
import { X509Certificate } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { runCommand } from './run-command.ts';
import { applyYaml, getObject, kubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const GROUP = 'cert-manager.io';
const KINDS = { certificates: 'Certificate', issuers: 'Issuer' } as const;
const HOOKS = ['mutatingwebhookconfiguration', 'validatingwebhookconfiguration'] as const;

/** An authority of one's own in a folder, with openssl as people use it. */
export class OpensslAuthority {
  readonly #folder: string;

  private constructor(folder: string) {
    this.#folder = folder;
  }

  static async make(folder: string): Promise<OpensslAuthority> {
    const authority = new OpensslAuthority(folder);
    const subject = ['-subj', '/CN=Authority of the tests', '-addext', 'keyUsage=critical,keyCertSign'];
    await authority.#openssl('req', '-x509', ...EC, '-keyout', 'ca.key', '-out', 'ca.crt', '-days', '30', ...subject);
    return authority;
  }

  /** PEM. */
  root(): Promise<string> {
    return readFile(join(this.#folder, 'ca.crt'), 'utf8');
  }

  /** Writes a Secret with a new certificate for some names. @returns the certificate's serial number */
  async issue(namespace: string, secret: string, names: readonly string[]): Promise<string> {
    const extensions = `subjectAltName=${names.map((name) => `DNS:${name}`).join(',')}\nextendedKeyUsage=serverAuth\n`;
    await writeFile(join(this.#folder, 'leaf.cnf'), extensions);
    await this.#openssl('req', '-new', ...EC, '-keyout', 'leaf.key', '-out', 'leaf.csr', '-subj', `/CN=${secret}`);
    const signing = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-extfile', 'leaf.cnf', '-days', '2'];
    await this.#openssl('x509', '-req', '-in', 'leaf.csr', '-out', 'leaf.crt', ...signing);
    const [cert, key, root] = await Promise.all(
      ['leaf.crt', 'leaf.key', 'ca.crt'].map((name) => readFile(join(this.#folder, name), 'utf8')),
    );
    const stringData = { 'tls.crt': cert, 'tls.key': key, 'ca.crt': root };
    const metadata = { name: secret, namespace };
    const object = { apiVersion: 'v1', kind: 'Secret', type: 'kubernetes.io/tls', metadata, stringData };
    // Not `apply`, which would write the key into an annotation.
    await kubectl(['apply', '--server-side', '--force-conflicts', '--filename=-'], { input: JSON.stringify(object) });
    return new X509Certificate(cert ?? '').serialNumber;
  }

  #openssl(...args: readonly string[]): Promise<string> {
    return runCommand(['openssl', ...args], { cwd: this.#folder });
  }
}

const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'] as const;

/** Makes the two kinds of cert-manager that the chart uses, without what cert-manager checks in them. */
export async function installCertificateApi(): Promise<void> {
  const schema = { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } };
  for (const [plural, kind] of Object.entries(KINDS)) {
    const names = { kind, listKind: `${kind}List`, plural, singular: kind.toLowerCase() };
    const versions = [{ name: 'v1', served: true, storage: true, schema }];
    const spec = { group: GROUP, scope: 'Namespaced', names, versions };
    const metadata = { name: `${plural}.${GROUP}` };
    await applyYaml(
      stringify({ apiVersion: 'apiextensions.k8s.io/v1', kind: 'CustomResourceDefinition', metadata, spec }),
    );
  }
  await waitFor('the kinds of cert-manager', async () => {
    await kubectl(['get', `certificates.${GROUP}`, '--all-namespaces']);
    return true;
  });
}

export async function removeCertificateApi(): Promise<void> {
  const definitions = Object.keys(KINDS).map((plural) => `${plural}.${GROUP}`);
  await kubectl(['delete', 'crd', ...definitions, '--ignore-not-found', '--timeout=60s']);
}

/** What cert-manager does: a Secret for each Certificate of a namespace, and the caBundle of webhooks that ask for it. */
export async function serveCertificates(
  authority: OpensslAuthority,
  namespace: string,
  count: number,
): Promise<ReadonlyMap<string, string>> {
  const certificates = await waitFor(
    'the Certificates',
    async () => {
      const { items } = (await getObject([`certificates.${GROUP}`, `--namespace=${namespace}`])) as unknown as Items;
      return items.length >= count ? items : null;
    },
    120,
  );
  const serials = new Map<string, string>();
  for (const { metadata, spec } of certificates)
    if (spec.isCA !== true)
      serials.set(metadata.name, await authority.issue(namespace, spec.secretName, spec.dnsNames));
  for (const hook of HOOKS) await waitFor(`${hook} that wants a caBundle`, () => inject(authority, hook), 120);
  return serials;
}

interface Items {
  readonly items: readonly {
    readonly metadata: { readonly name: string };
    readonly spec: { readonly secretName: string; readonly dnsNames: readonly string[]; readonly isCA?: boolean };
  }[];
}

async function inject(authority: OpensslAuthority, hook: string): Promise<true | null> {
  const object = (await getObject([hook, 'lazaret'])) as unknown as {
    readonly metadata: { readonly annotations?: Readonly<Record<string, string>> };
    readonly webhooks: readonly object[];
  };
  if (object.metadata.annotations?.[`${GROUP}/inject-ca-from`] !== 'lazaret/lazaret-controller') return null;
  const value = Buffer.from(await authority.root()).toString('base64');
  const patch = object.webhooks.map((_, i) => ({ op: 'add', path: `/webhooks/${i}/clientConfig/caBundle`, value }));
  await kubectl(['patch', hook, 'lazaret', '--type=json', `--patch=${JSON.stringify(patch)}`]);
  return true;
}
