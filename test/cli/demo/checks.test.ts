import { describe, expect, it } from 'vitest';
import { judge } from '#cli/demo/checks.ts';
import type { Evidence } from '#cli/demo/evidence.ts';
import { DEMO_HOST, IDENTIFIERS, NOTE } from '#cli/demo/note.ts';
import { MODEL_STEPS } from '#cli/demo/result.ts';

const METRICS = ['exchanges', 'refusals', 'redactions', 'connections']
  .map((name) => `lazaret_${name}_total{x="y"} 2`)
  .join('\n');

/** A run in which every claim holds. */
const GOOD: Evidence = {
  mode: 'pod',
  results: [
    ...MODEL_STEPS.map((step) => ({ step, text: `I have read this: ${NOTE}`, error: null })),
    { step: 'unapproved', attempts: 1, status: 403, code: 'provider_not_approved', message: '403 no' },
    { step: 'listed', fingerprint: 'AA:BB', error: null },
    { step: 'unlisted', error: 'access denied' },
    { step: 'quic', error: 'send EPERM' },
  ],
  received: [DEMO_HOST.anthropic, DEMO_HOST.anthropic, DEMO_HOST.openai, DEMO_HOST.openai, DEMO_HOST.listed].map(
    (host) => ({ host, target: '/', body: '{}' }),
  ),
  receivedRaw: 'NAME_1a62',
  directFingerprint: 'AA:BB',
  records: ['a', 'b', 'c', 'd'].flatMap((id) =>
    ['request', 'response'].map((stage) => ({ stage, id, chain: 'c', seq: 1 })),
  ),
  stored: Buffer.from('sealed'),
  opened: { id: 'a', sent: 'NAME_1a62', vault: IDENTIFIERS.join() },
  verify: { code: 0, said: '1 chains verified: no finding' },
  metrics: METRICS,
};

const failed = (evidence: Evidence): readonly string[] =>
  judge(evidence)
    .filter(({ ok }) => !ok)
    .map(({ name }) => name);
const without = (step: string) => GOOD.results.filter((result) => result.step !== step);

describe('checks of the demo', () => {
  it('all hold for a run in which every claim is so', () => {
    expect(failed(GOOD)).toEqual([]);
  });

  it.each<[string, Partial<Evidence>, string]>([
    [
      'an identifier reached a provider',
      { receivedRaw: 'to MARIA: Maria Gonzalez' },
      'no identifier reached a provider',
    ],
    ['a provider was not asked at all', { received: GOOD.received.slice(1) }, 'no identifier reached a provider'],
    [
      'an answer was not restored',
      {
        results: GOOD.results.map((result) =>
          result.step === 'openai-stream' ? { ...result, text: 'NAME_1a62' } : result,
        ),
      },
      'the application got its answer (OpenAI, streamed)',
    ],
    [
      'the application ended early',
      { results: without('anthropic-plain') },
      'the application got its answer (Anthropic, plain)',
    ],
    [
      'the SDK tried again',
      {
        results: [...without('unapproved'), { step: 'unapproved', attempts: 3, status: 403, code: null, message: '' }],
      },
      'a provider without an agreement is refused, with its reason and without a retry',
    ],
    [
      'the unapproved provider was reached',
      { received: [...GOOD.received, { host: DEMO_HOST.unapproved, target: '/', body: '' }] },
      'a provider without an agreement is refused, with its reason and without a retry',
    ],
    [
      'a listed host showed another certificate',
      { directFingerprint: 'CC' },
      'a listed host is passed unopened: the same certificate as outside',
    ],
    [
      'an unlisted host answered',
      { results: [...without('unlisted'), { step: 'unlisted', error: null }] },
      'a host that is not listed is refused',
    ],
    [
      'a datagram left',
      { results: [...without('quic'), { step: 'quic', error: null }] },
      'QUIC is refused at once, so clients fall back to TCP',
    ],
    ['a record is missing', { records: GOOD.records.slice(1) }, 'each exchange left its records'],
    ['the store holds clear text', { stored: Buffer.from('... Whitfield ...') }, 'the evidence is sealed'],
    ['the store is empty', { stored: Buffer.alloc(0) }, 'the evidence is sealed'],
    ['the key opens nothing', { opened: null }, "the auditor's key opens it"],
    ['verify found something', { verify: { code: 1, said: 'gap' } }, 'the chain of evidence is whole'],
    [
      'a counter stood still',
      { metrics: METRICS.replace('redactions_total{x="y"} 2', 'redactions_total{x="y"} 0') },
      'the metrics moved',
    ],
  ])('fail when %s', (_case, change, name) => {
    expect(failed({ ...GOOD, ...change })).toEqual([name]);
  });

  it('leave out what an explicit proxy cannot show', () => {
    const proxied = judge({ ...GOOD, mode: 'proxy', results: without('quic') });
    expect(proxied.every(({ ok }) => ok)).toBe(true);
    expect(proxied.some(({ name }) => name.includes('QUIC'))).toBe(false);
  });
});
