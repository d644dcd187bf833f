import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { renderNetworkRules } from '#sidecar/init/network-rules.ts';
import type { ProbeName, Stage } from './packet-stage.ts';

let stage: Stage;

beforeAll(() => {
  const namespaces = ['--mount', '--net', '--pid', '--mount-proc', '--fork', '--kill-child=SIGKILL'];
  const program = [
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    join(import.meta.dirname, 'packet-stage.ts'),
  ];
  const said = execFileSync('unshare', [...namespaces, '--', ...program], { encoding: 'utf8' });
  stage = JSON.parse(said) as Stage;
});

const CAPTURED: readonly ProbeName[] = [
  'tcp 443',
  'tcp 22',
  'tcp to a private address',
  'tcp to the resolver',
  'tcp v6',
  'tcp v4-mapped',
];
const REFUSED: readonly ProbeName[] = [
  'udp 443',
  'udp 443 v6',
  'udp 853',
  'udp 5000',
  'dns to another',
  'dns to another v6',
  'listed udp, other port',
];

describe('packets of a guarded pod', () => {
  it('are guarded by a lazaret-init that proved its redirect', () => {
    expect(stage.init).toMatchObject({ status: 0, stderr: '' });
  });

  it.each(CAPTURED)("bring an application's %s to the guard", (name) => {
    expect(stage.answers.application[name]).toBe('guard');
  });

  it.each(CAPTURED)('bring the %s of root to the guard', (name) => {
    expect(stage.answers.root[name]).toBe('guard');
  });

  it.each(CAPTURED)("bring the %s of a process with the sidecar's uid, but not its gid, to the guard", (name) => {
    expect(stage.answers.uidAlone[name]).toBe('guard');
  });

  it.each(CAPTURED)("bring the %s of a process with the sidecar's gid, but not its uid, to the guard", (name) => {
    expect(stage.answers.gidAlone[name]).toBe('guard');
  });

  it.each(CAPTURED)('let the %s of the sidecar out', (name) => {
    expect(stage.answers.sidecar[name]).toBe('outside');
  });

  it.each(REFUSED)('meet a refusal at once when they are %s', (name) => {
    for (const who of ['application', 'uidAlone', 'gidAlone', 'root'] as const) {
      expect(stage.answers[who][name]).toBe('EPERM');
    }
  });

  it('reach the resolver over UDP, and what the operator lists', () => {
    expect(stage.answers.application['dns to the resolver']).toBe('outside');
    expect(stage.answers.application['listed udp']).toBe('outside');
  });

  it('stay in the pod when they are for the pod itself', () => {
    expect(stage.answers.application['tcp to the own address']).toBe('pod');
    expect(stage.answers.application['tcp to loopback']).toBe('pod');
  });

  it('come in from outside as before', () => {
    expect(stage.inbound).toBe('pod');
  });

  it('do not leave as a reply to a datagram that nobody asked for', () => {
    expect(stage.unasked).toBe('EPERM');
  });

  it('are refused while the sidecar is dead', () => {
    expect(stage.noSidecar).toBe('ECONNREFUSED');
  });

  it("meet the same rules after lazaret-init ran a second time, and nobody else's table is gone", () => {
    expect(stage.again).toMatchObject({ status: 0, stderr: '' });
    expect(stage.rules[0]).toContain('redirect to :15001');
    expect(stage.rules[1]).toBe(stage.rules[0]);
    expect(stage.foreignTable).toBe(true);
  });
});

describe('rendered rules', () => {
  it('are accepted by nft in every combination of what they can hold', () => {
    const resolver4 = { family: 4, address: '10.96.0.10', port: 53 } as const;
    const resolver6 = { family: 6, address: 'fd00::a', port: 5353 } as const;
    const range = { family: 6, address: '2001:db8::', bits: 32, port: 514 } as const;
    for (const resolvers of [[], [resolver4], [resolver6], [resolver4, resolver6]]) {
      for (const udpAllowed of [[], [range], [range, { family: 4, address: '0.0.0.0', bits: 0, port: 123 } as const]]) {
        const rules = renderNetworkRules({ uid: 20_000, gid: 59_999, port: 15_001, resolvers, udpAllowed });
        const checked = spawnSync('unshare', ['--net', 'nft', '-c', '-f', '-'], { input: rules, encoding: 'utf8' });
        expect(checked).toMatchObject({ status: 0, stderr: '' });
      }
    }
  });
});
