import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KubeClient } from './kube-client.ts';
import { applyYaml, kubectl, PLACE } from './test-cluster.ts';
import { agreement, ANTHROPIC, OPENAI, STUDY, type WorkloadsStage } from './workloads-stage.ts';
import { type Answered, startWatch, type Watch, type Watched } from './workloads-watch.ts';

/** What is promised (docs: within 2 s), for the median of some trials: this machine may stop for a second by itself. */
const PROMISED_MS = 2_000;
const TRIALS = 3;
/** An end so far ahead that what ends is in force before it. */
const AHEAD_MS = 10_000;

/** One change and the first refusal after it. */
interface Trial {
  readonly ms: number;
  readonly refused: Answered;
  /** What was refused before the change, though it had been allowed. */
  readonly early: readonly Answered[];
}

/** How soon what was allowed is refused. */
export function testRevocation(stage: () => WorkloadsStage): void {
  describe('what was allowed and is not any more', () => {
    let watch: Watch;
    let api: KubeClient;
    let deleted: readonly Trial[] = [];
    let expired: readonly Trial[] = [];
    let ended: readonly (Trial & { readonly held: Trial })[] = [];

    beforeAll(async () => {
      api = new KubeClient(PLACE.kubeconfig);
      watch = startWatch(stage().clinic, 'client');
      [deleted, expired, ended] = await Promise.all([
        repeat(() => deleteAgreement(watch, api)),
        repeat(() => letAgreementExpire(watch)),
        repeat(() => letExemptionEnd(watch, stage().clinic)),
      ]);
    });
    afterAll(async () => {
      watch.stop();
      api.close();
      await kubectl(['delete', 'guardexemption', 'workloads-study', '--ignore-not-found']);
    });

    it('an agreement that is deleted refuses the next request within 2 s', () => {
      print('a deleted agreement', deleted);
      expect(deleted.map(({ refused }) => refused)).toEqual(deleted.map(() => refusal(403, /^agreement_missing$/)));
      expect(median(deleted)).toBeLessThan(PROMISED_MS);
    });

    it('an agreement that expires refuses at its end, and not before', () => {
      print('an expired agreement', expired);
      expect(expired.map(({ refused }) => refused)).toEqual(expired.map(() => refusal(403, /^agreement_expired$/)));
      expect(expired.flatMap(({ early }) => early)).toEqual([]);
      expect(median(expired)).toBeLessThan(PROMISED_MS);
    });

    it('an exemption that ends lets no new connection pass at its end, and not before', () => {
      print('an ended exemption', ended);
      expect(ended.map(({ refused }) => refused)).toEqual(ended.map(() => refusal(0, /access denied|ECONNRESET/i)));
      expect(ended.flatMap(({ early }) => early)).toEqual([]);
      expect(median(ended)).toBeLessThan(PROMISED_MS);
    });

    it('an exemption that ends closes the connections that it let pass', () => {
      const held = ended.map((trial) => trial.held);
      print('a connection that an ended exemption had let pass', held);
      expect(held.flatMap(({ early }) => early)).toEqual([]);
      expect(median(held)).toBeLessThan(PROMISED_MS);
    });
  });
}

const refusal = (status: number, reason: RegExp) =>
  expect.objectContaining({ status, reason: expect.stringMatching(reason) });

/** A busy machine may let an end pass before what it ends is in force: then it is tried again. */
async function repeat<T extends Trial>(one: () => Promise<T | null>): Promise<readonly T[]> {
  const trials: T[] = [];
  for (let tries = 0; tries < 3 * TRIALS && trials.length < TRIALS; tries++) {
    const trial = await one();
    if (trial !== null) trials.push(trial);
  }
  if (trials.length < TRIALS) throw new Error('what was made had ended each time before it was in force');
  return trials;
}

/** From the moment in which the API server was asked. */
async function deleteAgreement(watch: Watch, api: KubeClient): Promise<Trial> {
  await applyYaml(JSON.stringify(agreement('workloads-openai', OPENAI)));
  await watch.first('openai', Date.now(), 'served');
  const changedAt = Date.now();
  const path = '/apis/lazaret.dev/v1alpha1/provideragreements/workloads-openai';
  const { status } = await api.call({ method: 'DELETE', path });
  if (status !== 200) throw new Error(`the agreement was not deleted: ${status}`);
  const refused = await watch.first('openai', changedAt, 'refused');
  return { ms: refused.at - changedAt, refused, early: [] };
}

async function letAgreementExpire(watch: Watch): Promise<Trial | null> {
  const span = spanFromNow();
  await applyYaml(JSON.stringify(agreement('workloads-anthropic', ANTHROPIC, { expiresOn: span.end })));
  return await waitForEnd(watch, 'anthropic', span);
}

async function letExemptionEnd(watch: Watch, namespace: string): Promise<(Trial & { readonly held: Trial }) | null> {
  const span = spanFromNow();
  const spec = {
    reason: 'a study with an end',
    approvedBy: 'review board',
    from: '2026-01-15',
    until: span.end,
    namespaces: [namespace],
    grant: { destinations: [STUDY] },
  };
  const metadata = { name: 'workloads-study' };
  await applyYaml(JSON.stringify({ apiVersion: 'lazaret.dev/v1alpha1', kind: 'GuardExemption', metadata, spec }));
  const [trial, held] = await Promise.all([waitForEnd(watch, 'study', span), waitForEnd(watch, 'held', span)]);
  return trial === null || held === null ? null : { ...trial, held };
}

async function waitForEnd(watch: Watch, what: Watched, { madeAt, endsAt }: Span): Promise<Trial | null> {
  const seconds = (endsAt - Date.now()) / 1_000;
  const served = await watch.first(what, madeAt, 'served', seconds).catch((error: Error) => {
    if (error.message.includes('the watch ended')) throw error;
    return null;
  });
  if (served === null) return null;
  const refused = await watch.first(what, served.at, 'refused');
  const early = watch.answers.filter(
    (answer) => answer.what === what && answer.sentAt > served.at && answer.at < endsAt && answer.status !== 200,
  );
  return { ms: refused.at - endsAt, refused, early };
}

/** When something was made, and when it ends, in milliseconds since 1970. */
interface Span {
  readonly madeAt: number;
  readonly endsAt: number;
  /** The end as policy writes it. */
  readonly end: string;
}

/** Times of policy are whole seconds. */
function spanFromNow(): Span {
  const madeAt = Date.now();
  const endsAt = Math.ceil((madeAt + AHEAD_MS) / 1_000) * 1_000;
  return { madeAt, endsAt, end: new Date(endsAt).toISOString().replace('.000', '') };
}

function median(trials: readonly Trial[]): number {
  return trials.map(({ ms }) => ms).toSorted((left, right) => left - right)[Math.floor(trials.length / 2)] ?? Infinity;
}

function print(what: string, trials: readonly Trial[]): void {
  process.stderr.write(`workloads: ${what} was refused after ${trials.map(({ ms }) => ms).join(', ')} ms\n`);
}
