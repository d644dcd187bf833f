// A release, a checkout and one workload, and a shell in which commands of the manual are run as they are printed.
import { mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { BASE_IMAGE } from '../../tools/image/base-image.ts';
import { type CheckoutCopy, copyCheckout } from './checkout-copy.ts';
import { clearProduct, installProduct, type Product } from './install.ts';
import { nameImage } from './load-image.ts';
import { CLIENTS } from './place.ts';
import { appSpec, callProvider, callUntil, CLINICAL, PHI } from './product-apps.ts';
import { productImages } from './product-images.ts';
import { readCommandBlocks } from './readme-commands.ts';
import { tryCommand } from './run-command.ts';
import { applyYaml, deleteNamespace, getObject, kubectl, PLACE } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

export const CLINIC = 'clinic';

/** What a printed command did. */
export interface RunCommandResult {
  readonly command: string;
  readonly status: number;
  readonly said: string;
}

/** What the tests of the manual have. */
export interface OperationsStage {
  readonly product: Product;
  /** Where the commands run and write. */
  readonly folder: string;
  /** Runs the commands of a block of a page. @throws where one ends with another code than is expected of it, 0 when nothing is said */
  readonly run: (page: string, heading: string, options?: RunOptions) => Promise<readonly RunCommandResult[]>;
  readonly leave: () => Promise<void>;
}

/** Which block, and what its commands end with. */
export interface RunOptions {
  readonly block?: number;
  /** By a part of the command. */
  readonly status?: Readonly<Record<string, number>>;
}

/** Installs the release, takes a checkout, and starts the workload. */
export async function openStage(): Promise<OperationsStage> {
  const product = await installProduct();
  await nameImage(PLACE, BASE_IMAGE, 'docker.io/library/node:26');
  const checkout = await copyCheckout();
  await mkdir(join(checkout.folder, 'dist'));
  await symlink(await productImages(() => undefined), join(checkout.folder, 'dist/images'));
  const path = join(checkout.folder, 'docs/examples/clinic.yaml');
  await waitFor('the webhook of agreements', () => kubectl(['apply', '--filename', path]));
  await applyYaml(JSON.stringify(workload()));
  await kubectl(['rollout', 'status', 'deployment/triage', `--namespace=${CLINIC}`, '--timeout=120s']);
  await callUntil(CLINIC, await podOf(), 200);
  return {
    product,
    folder: checkout.folder,
    run: (page, heading, options) => runBlock(checkout, readCommandBlocks(page, heading), options),
    leave: async () => {
      await product.leave();
      await kubectl(['label', 'namespace', CLINIC, 'lazaret.dev/guard-', '--overwrite']).catch(() => undefined);
      await deleteNamespace(CLINIC);
      await clearProduct();
      await checkout.remove();
    },
  };
}

async function runBlock(
  { folder }: CheckoutCopy,
  blocks: readonly (readonly string[])[],
  { block = 0, status: expected = {} }: RunOptions = {},
): Promise<readonly RunCommandResult[]> {
  const env = { ...process.env, PATH: `${CLIENTS}:${process.env['PATH'] ?? ''}`, KUBECONFIG: PLACE.kubeconfig };
  const done: RunCommandResult[] = [];
  for (const command of blocks[block] ?? []) {
    const begun = performance.now();
    const { status, stdout, stderr } = await tryCommand(['bash', '-c', `set -o pipefail; ${command}`], {
      cwd: folder,
      env,
    });
    const said = `${stdout}${stderr}`;
    print(`${Math.round((performance.now() - begun) / 1000)} s: ${command.slice(0, 100)}`);
    const wanted = Object.entries(expected).find(([part]) => command.includes(part))?.[1] ?? 0;
    if (status !== wanted) throw new Error(`${command} ended with ${status}, not ${wanted}: ${said.slice(-2_000)}`);
    done.push({ command, status, said });
  }
  if (done.length === 0) throw new Error(`there is no block ${block}`);
  return done;
}

function print(line: string): void {
  process.stderr.write(`operations: ${line}\n`);
}

function workload(): object {
  const labels = { ...PHI, app: 'triage' };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { namespace: CLINIC, name: 'triage' },
    spec: { selector: { matchLabels: { app: 'triage' } }, template: { metadata: { labels }, spec: appSpec() } },
  };
}

/** The workload's pod, which restarts give another name. */
export async function podOf(): Promise<string> {
  const list = (await getObject(['pods', `--namespace=${CLINIC}`, '--selector=app=triage'])) as {
    readonly items?: readonly { readonly metadata: { readonly name: string; readonly deletionTimestamp?: string } }[];
  };
  const pod = list.items?.find(({ metadata }) => metadata.deletionTimestamp === undefined);
  if (pod === undefined) throw new Error('the workload has no pod');
  return pod.metadata.name;
}

/** Calls the provider from the workload until it answers. @returns the exchange's id */
export async function exchange(): Promise<string> {
  const pod = await podOf();
  return waitFor(`an answer for ${pod}`, async () => {
    const { status, text, exchange: id } = await callProvider(CLINIC, pod);
    return status === 200 && text.includes(CLINICAL) ? (id ?? null) : null;
  });
}

/** Calls the provider from the workload until it is refused. @returns what it was told */
export async function refusal(): Promise<string> {
  return (await callUntil(CLINIC, await podOf(), 403)).text;
}
