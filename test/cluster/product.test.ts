import { copyFile, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { BASE_IMAGE } from '../../tools/image/base-image.ts';
import { copyCheckout, type CheckoutCopy } from './checkout-copy.ts';
import { clearProduct, describeProduct, prepareProduct, type Product } from './install.ts';
import { nameImage } from './load-image.ts';
import { registryOf } from './node.ts';
import { CLIENTS } from './place.ts';
import { IDENTIFIERS } from './product-apps.ts';
import { listRecords, openExchange, verifyEvidence, waitForExpected } from './product-evidence.ts';
import { testFaults } from './product-faults.ts';
import { LISTED_HOST, testTraffic, UNLISTED_HOST } from './product-traffic.ts';
import { readCommands } from './readme-commands.ts';
import { type CommandResult, runCommand, tryCommand } from './run-command.ts';
import { deleteNamespace, kubectl, PLACE } from './test-cluster.ts';

const REGISTRY = registryOf(PLACE);
const INSTALL = readCommands('README.md', '## Install');
const NAME = 'Maria Gonzalez';
const NEVER_OUTSIDE = ['Gonzalez', '48213907', '03/14'];

/**
 * What this cluster lacks and a real one has: a provider whose certificate the world trusts. The shell of the commands adds it to the
 * installation, from the file that FURTHER_VALUES names; the command itself is the one that is printed.
 */
const SHELL = `
set -e
helm() {
  if [ "$1" = install ]; then command helm "$@" -f "$FURTHER_VALUES"; else command helm "$@"; fi
}
`;

let checkout: CheckoutCopy;
let product: Product;
let env: NodeJS.ProcessEnv = {};
const printed: string[] = [];
const durations: string[] = [];

beforeAll(async () => {
  await clearProduct();
  await kubectl(['delete', 'namespace', 'clinic', '--ignore-not-found', '--timeout=120s']);
  checkout = await copyCheckout();
  const prepared = await prepareProduct({
    hosts: ['api.anthropic.com', 'api.openai.com', LISTED_HOST, UNLISTED_HOST],
  });
  product = describeProduct({ provider: prepared.provider, keys: join(checkout.folder, 'keys') });
  // The application's image of the example, which the node would pull from the world.
  await nameImage(PLACE, BASE_IMAGE, 'docker.io/library/node:26');
  const roots = prepared.provider.authority.root.trim().replaceAll('\n', '\n    ');
  const furtherValues = join(checkout.folder, 'further.values.yaml');
  await writeFile(furtherValues, `sidecar:\n  upstreamRoots: |\n    ${roots}\n`);
  // The test cluster's registry speaks without TLS: what a machine's administrator would write into /etc/containers.
  const registries = join(checkout.folder, 'registries.conf');
  await writeFile(registries, `[[registry]]\nlocation = "${REGISTRY}"\ninsecure = true\n`);
  env = {
    ...process.env,
    PATH: `${CLIENTS}:${process.env['PATH'] ?? ''}`,
    KUBECONFIG: PLACE.kubeconfig,
    CONTAINERS_REGISTRIES_CONF: registries,
    FURTHER_VALUES: furtherValues,
    REGISTRY,
    ANTHROPIC_API_KEY: 'sk-ant-api03-of-the-test',
  };
});

afterAll(async () => {
  process.stderr.write(`${durations.join('\n')}\n`);
  await product.uninstall();
  await deleteNamespace('clinic');
  await checkout.remove();
});

describe('a platform engineer with the commands of README', () => {
  it('has fewer than 10 of them, and the manual prints the same', () => {
    expect(INSTALL.length).toBeLessThan(10);
    expect(readCommands('docs/install.md', '# Install')).toEqual(['npm ci', ...INSTALL]);
  });

  it('gets from keys to the first answer', { timeout: 900_000 }, async () => {
    for (const command of INSTALL) {
      const begun = performance.now();
      const said = await runCommand(['bash', '-c', `${SHELL}${command}`], { cwd: checkout.folder, env });
      printed.push(said);
      durations.push(`product: ${Math.round((performance.now() - begun) / 1000)} s: ${command.slice(0, 60)}`);
    }
    expect(printed.at(-1)).toMatch(new RegExp(`^200 .*${NAME}`));
  });

  it('installed the images of that registry, by digest', async () => {
    const images = await kubectl(['get', 'pods', '--namespace=clinic', '--output=jsonpath={..image}']);
    const ours = images.split(' ').filter((image) => image.includes('/lazaret/'));
    expect(ours.length).toBeGreaterThan(0);
    for (const image of ours) expect(image).toMatch(new RegExp(`^${REGISTRY}/lazaret/(?:init|sidecar):[^@]+@sha256:`));
  });

  it('sent no identifier of the patient to the provider', () => {
    expect(product.provider.received).toHaveLength(1);
    const [received] = product.provider.received;
    const text = JSON.stringify(received?.headers) + (received?.body.toString('utf8') ?? '');
    expect(text).toContain('Repeat word for word');
    for (const identifier of NEVER_OUTSIDE) expect(text).not.toContain(identifier);
  });

  it('can go on with the commands of the notes, as they are printed', async () => {
    const notes = await run('helm get notes lazaret --namespace lazaret');
    const commands = [...notes.stdout.matchAll(/^ {2}((?:kubectl|helm) .*?)(?: {3,}.*)?$/gm)].map(
      ([, line = '']) => line,
    );
    const harmless = commands.filter((command) => !command.includes(' delete '));
    expect(harmless.length).toBeGreaterThan(5);
    await copyFile(join(checkout.folder, 'docs/examples/clinic.yaml'), join(checkout.folder, 'agreement.yaml'));
    for (const command of harmless) {
      const { status, stderr } = await run(command.replace('CLINIC', 'clinic'));
      expect({ command, status, stderr: status === 0 ? '' : stderr }).toEqual({ command, status: 0, stderr: '' });
    }
  });

  it('is told by `lazaret doctor` that all is well', async () => {
    expect(await run('npm run -s lazaret -- doctor')).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/nothing is broken\n$/),
    });
  });

  it('leaves evidence that verifies against the controller’s list, and opens with the auditor’s key', async () => {
    const pod = (
      await kubectl(['get', 'pods', '--namespace=clinic', '--output=jsonpath={.items[0].metadata.name}'])
    ).trim();
    await waitForExpected(product, [`clinic/${pod}`]);
    expect(await verifyEvidence(product)).toEqual({ code: 0, findings: [] });
    const records = await listRecords(product);
    const id = String(records.find(({ stage }) => stage === 'request')?.['id']);
    expect(await openExchange(product, id)).toContain(NAME);
  }, 200_000);

  it('upgrades by the manual’s command, and a value that is policy needs no restart', async () => {
    const manual = await readFile(join(checkout.folder, 'docs/install.md'), 'utf8');
    const [, command = ''] = /`(helm upgrade lazaret [^`]*)`/.exec(manual) ?? [];
    const pods = () => kubectl(['get', 'pods', '--namespace=lazaret', '--output=jsonpath={.items[*].metadata.uid}']);
    const before = await pods();
    expect(await run(`${command} --set 'egress.destinations={${LISTED_HOST}}'`)).toMatchObject({ status: 0 });
    expect(await pods()).toBe(before);
  });
});

testTraffic(() => product);
testFaults(() => product);

it('no provider ever received an identifier', () => {
  const { received } = product.provider;
  expect(received.length).toBeGreaterThan(20);
  const text = received.map(({ headers, body }) => JSON.stringify(headers) + body.toString('utf8')).join('\n');
  for (const identifier of [...IDENTIFIERS, ...NEVER_OUTSIDE]) expect(text).not.toContain(identifier);
});

/** Runs a command as it is printed somewhere. */
function run(command: string): Promise<CommandResult> {
  return tryCommand(['bash', '-c', command], { cwd: checkout.folder, env });
}
