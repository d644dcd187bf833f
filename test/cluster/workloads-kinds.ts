import { beforeAll, describe, expect, it } from 'vitest';
import { appSpec, CALL, clinicalBody, logsOf, nodeContainer, PHI } from './product-apps.ts';
import { kubectl, waitForCondition } from './test-cluster.ts';
import { waitFor } from './wait-for.ts';
import { applyAll, type WorkloadsStage } from './workloads-stage.ts';

/** A program that calls the provider once, prints the answer, and ends by it. */
const CALL_ONCE = `${CALL}
const { status, text } = await call(MESSAGES, ${JSON.stringify(clinicalBody())});
console.log(status, text);
if (status !== 200) process.exit(1);
`;
const FOREVER = `${CALL_ONCE}\nsetInterval(() => {}, 1e6);`;
const ANSWERED = /^200 .*Maria Gonzalez/;

/** The kinds of workloads that make pods. */
export function testKinds(stage: () => WorkloadsStage): void {
  describe('a guarded workload', () => {
    let clinic = '';
    beforeAll(async () => {
      ({ clinic } = stage());
      // At once, because the cron job comes with the minute.
      await waitFor('the workloads', () => applyAll(workloads(clinic)).then(() => true), 30);
    });
    const podsOf = async (selector: string): Promise<readonly string[]> => {
      const names = ['get', 'pods', `--namespace=${clinic}`, `--selector=${selector}`, '--output=name'];
      return (await kubectl(names)).split('\n').filter((name) => name !== '');
    };
    const answered = (name: string): Promise<true> =>
      waitFor(`the answer to ${name}`, async () => (ANSWERED.test(await logsOf(clinic, name)) ? true : null));
    const rolledOut = (workload: string): Promise<string> =>
      kubectl(['rollout', 'status', workload, `--namespace=${clinic}`, '--timeout=120s']);

    it('calls the provider from an init container before its application runs (Deployment)', async () => {
      await rolledOut('deployment/web');
      const [name = ''] = await podsOf('app=web');
      expect(await logsOf(clinic, name, 'setup')).toMatch(ANSWERED);
      await answered(name);
    });

    it('keeps its name and gets a new guard when its pod is replaced (StatefulSet)', async () => {
      await rolledOut('statefulset/ward');
      expect(await podsOf('app=ward')).toEqual(['pod/ward-0']);
      const identity = async (): Promise<string> => {
        const field = 'jsonpath={.metadata.uid} {.metadata.annotations}';
        return await kubectl(['get', 'pod/ward-0', `--namespace=${clinic}`, `--output=${field}`]);
      };
      const before = await identity();
      await kubectl(['delete', 'pod/ward-0', `--namespace=${clinic}`]);
      await rolledOut('statefulset/ward');
      await waitForCondition(clinic, 'pod/ward-0', 'condition=Ready', 120);
      expect(await identity()).not.toBe(before);
      await answered('pod/ward-0');
    });

    it('completes with several pods, some at a time, and each ends with its guard (Job)', async () => {
      await waitForCondition(clinic, 'job/batch', 'condition=Complete', 120);
      const pods = await podsOf('job-name=batch');
      expect(pods).toHaveLength(2);
      for (const name of pods) {
        await waitForCondition(clinic, name, 'jsonpath={.status.phase}=Succeeded');
        expect(await logsOf(clinic, name)).toMatch(ANSWERED);
      }
    });

    it('completes on its schedule (CronJob)', async () => {
      const name = await waitFor(
        'the first job of the schedule',
        async () => (await podsOf('app=nightly'))[0] ?? null,
        90,
      );
      await waitForCondition(clinic, name, 'jsonpath={.status.phase}=Succeeded', 120);
      expect(await logsOf(clinic, name)).toMatch(ANSWERED);
      await kubectl(['delete', 'cronjob/nightly', `--namespace=${clinic}`]);
    });
  });
}

function workloads(namespace: string): readonly object[] {
  const labelled = (app: string) => ({ ...PHI, app });
  const apps = (kind: string, name: string, spec: object, template: object) => ({
    apiVersion: 'apps/v1',
    kind,
    metadata: { namespace, name },
    spec: {
      selector: { matchLabels: { app: name } },
      template: { metadata: { labels: labelled(name) }, spec: template },
      ...spec,
    },
  });
  const once = { ...appSpec({ script: CALL_ONCE }), restartPolicy: 'Never' };
  const setup = { initContainers: [nodeContainer('setup', CALL_ONCE)] };
  const batch = (kind: string, name: string, spec: object) => ({
    apiVersion: 'batch/v1',
    kind,
    metadata: { namespace, name },
    spec,
  });
  return [
    apps('Deployment', 'web', {}, appSpec({ script: FOREVER, spec: setup })),
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { namespace, name: 'ward' },
      spec: { clusterIP: 'None', selector: { app: 'ward' } },
    },
    apps('StatefulSet', 'ward', { serviceName: 'ward' }, appSpec({ script: FOREVER })),
    batch('Job', 'batch', {
      completions: 2,
      parallelism: 2,
      backoffLimit: 0,
      template: { metadata: { labels: labelled('batch') }, spec: once },
    }),
    batch('CronJob', 'nightly', {
      schedule: '* * * * *',
      concurrencyPolicy: 'Forbid',
      jobTemplate: {
        spec: { backoffLimit: 0, template: { metadata: { labels: labelled('nightly') }, spec: once } },
      },
    }),
  ];
}
