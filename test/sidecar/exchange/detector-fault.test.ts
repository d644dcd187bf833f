import type * as Redact from '#phi/redact.ts';
import { afterEach, expect, it, vi } from 'vitest';
import { DetectorError } from '#phi/detector-error.ts';
import { listedOf } from '../../phi/listed-names.ts';
import { ANTHROPIC, demoPolicy, type Guarded, openGuarded } from './guarded.ts';

const MESSAGE = { model: 'm', max_tokens: 9, messages: [{ role: 'user', content: 'Patient Maria Gonzalez.' }] };
const detector = vi.hoisted(() => ({ fault: null as Error | null }));

/** The real engine, but for the faults that no input should bring about. */
vi.mock('#phi/redact.ts', async (original) => {
  const engine = await original<typeof Redact>();
  const redact: typeof engine.redact = (...input) => {
    if (detector.fault !== null) throw detector.fault;
    return engine.redact(...input);
  };
  return { ...engine, redact };
});

let room: Guarded;
afterEach(async () => await room.stop());

it.each([
  ['says that it failed', new DetectorError('lexer'), 'detector_failed'],
  ['runs out of stack', new RangeError('Maria Gonzalez'), 'internal_error'],
])(
  'T20: nothing leaves when the detector %s, and the reason holds nothing of the fault',
  async (_how, fault, reason) => {
    room = await openGuarded();
    detector.fault = fault;
    const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
    expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([503, reason]);
    expect(answer.body).not.toContain('Gonzalez');
    expect(room.provider.received).toEqual([]);
    expect(room.evidence.entries).toMatchObject([{ kind: 'refused', facts: { reason } }]);
    detector.fault = null;
    expect((await room.ask(ANTHROPIC, '/v1/messages', MESSAGE)).status).toBe(200);
  },
);

it('T20: a monitored exchange goes on when the detector fails, and its record says what enforce would have done', async () => {
  room = await openGuarded();
  const [from, until] = [-1, 1].map((days) => new Date(Date.now() + days * 86_400_000).toISOString());
  room.policy = demoPolicy(
    `\n---\napiVersion: lazaret.dev/v1alpha1\nkind: GuardExemption\nmetadata: { name: watch }\nspec:\n  reason: trial\n  approvedBy: somebody\n  from: "${from}"\n  until: "${until}"\n  namespaces: [phi]\n  grant: { monitor: true }\n`,
  );
  detector.fault = new DetectorError('lexer');
  expect((await room.ask(ANTHROPIC, '/v1/messages', MESSAGE)).status).toBe(200);
  detector.fault = null;
  expect(room.reports[0]).toMatchObject({ mode: 'monitor', would: 'detector_failed', outcome: 'completed' });
});

it.each([false, true])(
  'T14, T30: a restored answer is not examined again, and the same request is asked again (stream: %s)',
  async (stream) => {
    room = await openGuarded();
    const ask = async () => await room.ask(ANTHROPIC, '/v1/messages', { ...MESSAGE, stream });
    const first = await ask();
    expect(first.status).toBe(200);
    expect((await ask()).status).toBe(200);
    expect(room.provider.received).toHaveLength(2);
    expect(room.evidence.entries.filter(({ kind }) => kind === 'request')).toHaveLength(2);
    expect(first.body).not.toMatch(/NAME_\d/);
  },
);

it('T20: nothing leaves while the lists of the deployer cannot be used', async () => {
  room = await openGuarded();
  room.names = () => {
    throw new DetectorError('lists');
  };
  const answer = await room.ask(ANTHROPIC, '/v1/messages', MESSAGE);
  expect([answer.status, answer.headers['x-lazaret-reason']]).toEqual([503, 'detector_failed']);
  expect(room.provider.received).toEqual([]);
});

it('a name of the deployer’s list goes out as a surrogate and comes back', async () => {
  room = await openGuarded();
  room.names = () => listedOf([['name', 'Foley']]);
  const message = { ...MESSAGE, messages: [{ role: 'user', content: 'A Foley came.' }] };
  const answer = await room.ask(ANTHROPIC, '/v1/messages', message);
  expect(answer.body).toContain('A Foley came.');
  expect(JSON.stringify(room.provider.received)).not.toContain('Foley');
});
