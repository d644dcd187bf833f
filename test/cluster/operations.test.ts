// docs/operations.md, command by command, as it is printed and in its order. The last one leaves the cluster as it was.
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { clearProduct } from './install.ts';
import { delivered, findings, leftOf, loseKeys, loseVolume, podsOf, secretOf } from './operations-release.ts';
import { CLINIC, exchange, openStage, type OperationsStage, podOf, refusal } from './operations-stage.ts';
import { createApp } from './product-apps.ts';
import { openExchange } from './product-evidence.ts';
import { deleteNamespace, kubectl, tryKubectl } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';

const PAGE = 'docs/operations.md';
const COPY = ['docs/evidence.md', '## From a cluster to another machine'] as const;
const TIMEOUT = 400_000;
const RELEASE = '--namespace=lazaret';

let stage: OperationsStage;

beforeAll(async () => {
  await deleteNamespace(CLINIC);
  await kubectl(['wait', `namespace/${CLINIC}`, '--for=delete', '--timeout=120s']);
  await clearProduct();
  stage = await openStage();
});
afterAll(() => stage.leave());

it(
  'Install: the release’s keys can be kept elsewhere',
  async () => {
    await stage.run(PAGE, '## Install');
    const text = await readFile(join(stage.folder, 'release-keys.yaml'), 'utf8');
    for (const part of ['bundle.jwk:', 'identity.key:', 'ca.key:']) expect(text).toContain(part);
    expect(text).not.toMatch(/resourceVersion|uid:/);
  },
  TIMEOUT,
);

it(
  'Upgrade: the workload’s pods are replaced and guarded, and the way back is open',
  async () => {
    const before = await podOf();
    await stage.run(PAGE, '## Upgrade');
    expect(await podOf()).not.toBe(before);
    await delivered(stage, await exchange());
    await stage.run(PAGE, '## Upgrade', { block: 1 });
    await exchange();
  },
  TIMEOUT,
);

it(
  'Rotate the auditor’s keys: what comes after opens with the new key only, what was before with the former',
  async () => {
    const before = await exchange();
    await delivered(stage, before);
    await stage.run(PAGE, "## Rotate the auditor's keys");
    const after = await exchange();
    await delivered(stage, after);
    const { product, folder } = stage;
    const next = { ...product, keys: join(folder, 'keys-next') };
    expect(await openExchange(next, after)).toContain('Gonzalez');
    expect(await openExchange(product, before)).toContain('Gonzalez');
    await expect(openExchange(product, after)).rejects.toThrow('sealed to other recipients');
    await expect(openExchange(next, before)).rejects.toThrow('sealed to other recipients');
  },
  TIMEOUT,
);

it(
  'Rotate the collector’s signing key: pods that run go on delivering, and all of it verifies',
  async () => {
    const before = await podOf();
    await stage.run(PAGE, "## Rotate the collector's signing key");
    const { keys } = JSON.parse(await readFile(join(stage.folder, 'collector.jwks'), 'utf8')) as {
      readonly keys: readonly { readonly signs?: string }[];
    };
    expect(keys.filter(({ signs }) => signs === undefined)).toHaveLength(2);
    await delivered(stage, await exchange());
    expect(await podOf()).toBe(before);
    expect(await findings(stage)).toEqual([]);
  },
  TIMEOUT,
);

it(
  'Rotate serving certificates: pods are admitted, get policy and deliver as before',
  async () => {
    const [controllers, leaf] = [await podsOf('controller'), await secretOf('lazaret-collector-tls', 'tls.crt')];
    await stage.run(PAGE, '## Rotate serving certificates');
    expect(await podsOf('controller')).not.toBe(controllers);
    await waitFor('the collector’s new certificate', async () =>
      (await secretOf('lazaret-collector-tls', 'tls.crt')) === leaf ? null : true,
    );
    await delivered(stage, await exchange());
  },
  TIMEOUT,
);

it(
  'Rotate the release’s authority: replaced pods trust the new one',
  async () => {
    const before = await secretOf('lazaret-authority', 'ca.crt');
    await stage.run(PAGE, "## Rotate the release's authority");
    const after = await secretOf('lazaret-authority', 'ca.crt');
    expect(after).toContain('BEGIN CERTIFICATE');
    expect(after).not.toContain(before.trim());
    await delivered(stage, await exchange());
    expect(await findings(stage)).toEqual([]);
  },
  TIMEOUT,
);

it(
  'Rotate the keys of policy: a pod that runs follows to the next, and replaced pods to new ones after a theft',
  async () => {
    const pod = await podOf();
    const before = await secretOf('lazaret-keys', 'bundle.jwk');
    await stage.run(PAGE, '## Rotate the keys of policy');
    const after = await secretOf('lazaret-keys', 'bundle.jwk');
    expect(after).not.toBe(before);
    await expectPolicyArrives();
    expect(await podOf()).toBe(pod);
    await stage.run(PAGE, '## Rotate the keys of policy', { block: 1 });
    expect([before, after]).not.toContain(await secretOf('lazaret-keys', 'bundle.jwk'));
    await expectPolicyArrives();
    await delivered(stage, await exchange());
  },
  TIMEOUT,
);

/** A change of policy reaches the pod, and the way back too. */
async function expectPolicyArrives(): Promise<void> {
  await kubectl(['delete', 'provideragreement', 'anthropic-api', '--wait=false']);
  await waitFor('the refusal', async () => ((await refusal()).includes('agreement_missing') ? true : null), 120);
  await kubectl(['apply', '--filename', join(stage.folder, 'docs/examples/clinic.yaml')]);
  await exchange();
}

it(
  'Revoke: an agreement that ended and one that is gone refuse, each by its name',
  async () => {
    await exchange();
    await stage.run(PAGE, '## Revoke');
    expect(await refusal()).toContain('agreement_expired');
    await stage.run(PAGE, '## Revoke', { block: 1 });
    await waitFor('the other reason', async () => ((await refusal()).includes('agreement_missing') ? true : null));
    await kubectl(['apply', '--filename', join(stage.folder, 'docs/examples/clinic.yaml')]);
    await exchange();
  },
  TIMEOUT,
);

it(
  'Restore: a lost volume comes back from the auditor’s copy, and pods send what they still hold',
  async () => {
    const before = await exchange();
    await delivered(stage, before);
    await stage.run(...COPY);
    const between = await exchange();
    await delivered(stage, between);
    await loseVolume(stage);
    await stage.run(PAGE, '## Restore');
    const after = await exchange();
    for (const id of [before, after]) await delivered(stage, id);
    // Of what was written after the copy, what pods had given up is lost, and named.
    const lost = await findings(stage);
    process.stderr.write(`operations: after the restore verify finds ${JSON.stringify(lost)}\n`);
    expect(lost.filter((finding) => finding !== 'gap' && finding !== 'truncated_tail')).toEqual([]);
  },
  TIMEOUT,
);

it(
  'Restore: the release’s keys come back with a higher epoch, and pods that ran all the while go on under them',
  async () => {
    await stage.run(PAGE, '## Install');
    const pod = await podOf();
    const before = Number(await secretOf('lazaret-keys', 'epoch'));
    await loseKeys();
    await stage.run(PAGE, '## Restore', { block: 1 });
    await kubectl(['scale', 'deployment/lazaret-controller', RELEASE, '--replicas=2']);
    await kubectl(['rollout', 'status', 'deployment/lazaret-controller', RELEASE, '--timeout=120s']);
    expect(Number(await secretOf('lazaret-keys', 'epoch'))).toBeGreaterThan(before);
    await expectPolicyArrives();
    await delivered(stage, await exchange());
    expect(await podOf()).toBe(pod);
  },
  TIMEOUT,
);

it(
  'Break-glass: pods start without a guard until the upgrade, and the doctor names them',
  async () => {
    await stage.run(PAGE, '## Break-glass');
    await waitFor('the API server to let a pod through', async () => {
      await createApp(CLINIC, 'let-in');
      return true;
    });
    const names = await kubectl(['get', 'pod/let-in', `--namespace=${CLINIC}`, '--output=jsonpath={..name}']);
    expect(names).not.toContain('lazaret-');
    const done = await stage.run(PAGE, '## Break-glass', { block: 1, status: { doctor: 1 } });
    expect(done.find(({ command }) => command.includes('doctor'))?.said).toContain(`${CLINIC}/let-in`);
    await kubectl(['delete', 'pod/let-in', `--namespace=${CLINIC}`, '--now']);
    await waitFor('the guard', async () => {
      const { stderr } = await tryKubectl([
        'run',
        'bare',
        '--image=none',
        `--namespace=${CLINIC}`,
        '--privileged',
        '--labels=lazaret.dev/phi=true',
        '--dry-run=server',
      ]);
      return stderr.includes('B-05') ? true : null;
    });
    await exchange();
  },
  TIMEOUT,
);

it(
  'Uninstall: workloads go on without a guard, and what stays goes when it is told to',
  async () => {
    await stage.run(PAGE, '## Uninstall');
    const names = await kubectl(['get', `pod/${await podOf()}`, `--namespace=${CLINIC}`, '--output=jsonpath={..name}']);
    expect(names).not.toContain('lazaret-');
    const kept = await kubectl(['get', 'secret,persistentvolumeclaim', RELEASE, '--output=name']);
    for (const name of ['secret/lazaret-keys', 'secret/lazaret-authority', 'evidence-lazaret-collector-0'])
      expect(kept).toContain(name);
    await stage.run(PAGE, '## Uninstall', { block: 1 });
    expect(await leftOf()).toEqual([]);
  },
  TIMEOUT,
);
