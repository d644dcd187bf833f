import { describe, expect, it } from 'vitest';
import { LIMIT } from '#contract/limit.ts';
import { judgePolicy } from '#controller/policy/judge.ts';
import type { RawObject } from '#controller/ports.ts';
import { type BaseSource, createBase } from '#controller/webhook-context.ts';

let now = 0;
let faults: string[] = [];

function base(): BaseSource {
  faults = [];
  now = 1_000;
  return createBase(
    () => now,
    (found) => void faults.push(...found),
  );
}

function agreement(name: string, hosts: readonly string[]): RawObject {
  return {
    apiVersion: 'lazaret.dev/v1alpha1',
    kind: 'ProviderAgreement',
    metadata: { name },
    spec: { provider: 'p', product: 'p', match: { hosts, paths: ['POST /v1/messages'] } },
  };
}

function update(source: BaseSource, values: unknown, agreements: readonly RawObject[] = []): void {
  const judged = judgePolicy({ agreements, egress: [], exemptions: [], values: {}, revision: 1 });
  const material = { bundleKeys: '{}', releaseAuthority: 'root' };
  source.update({ values, judged, releaseNamespace: 'guards', key: new Uint8Array(32), material, recipients: null });
}

/** As `update`, when the admission policies have been told. */
function adopt(source: BaseSource, values: unknown, agreements: readonly RawObject[] = []): void {
  update(source, values, agreements);
  const waiting = source.waiting();
  if (waiting !== null) source.adopt(waiting);
}

const LEVEL = (logLevel: string) => ({ sidecar: { logLevel } });

describe('what reviews are decided by', () => {
  it('is not there before there are values', () => {
    const source = base();
    adopt(source, undefined);
    expect(source.base()).toBeNull();
    adopt(source, {});
    expect(source.base()?.settings.values.releaseNamespace).toBe('guards');
  });

  it('waits with settings that the admission policies do not know, but accepts pods of them', () => {
    const source = base();
    adopt(source, {});
    const before = source.base()!.settings;
    update(source, { sidecar: { image: { tag: '9' } } });
    expect(source.base()?.settings).toBe(before);
    expect(source.newest()?.sidecarImage).toContain(':9');
    expect(source.base()?.previous).toEqual([source.newest()]);
    update(source, { sidecar: { image: { tag: '9' } } });
    source.adopt(source.waiting()!);
    expect(source.base()?.settings.sidecarImage).toContain(':9');
    expect(source.base()?.previous).toEqual([before]);
    expect(source.waiting()).toBeNull();
  });

  it('lets a pod wait until new settings are in use, or have been taken back', async () => {
    const source = base();
    adopt(source, {});
    await source.adopted(60_000);
    for (const end of [() => source.adopt(source.waiting()!), () => update(source, {})]) {
      update(source, { sidecar: { image: { tag: '9' } } });
      const waits = source.adopted(60_000).then(() => 'goes on');
      const now = new Promise((resolve) => setImmediate(() => resolve('waits')));
      expect(await Promise.race([waits, now])).toBe('waits');
      end();
      expect(await waits).toBe('goes on');
      adopt(source, {});
    }
  });

  it('lets a pod wait no longer than its caller does', async () => {
    const source = base();
    adopt(source, {});
    const before = source.base()!.settings;
    update(source, { sidecar: { image: { tag: '9' } } });
    await source.adopted(20);
    expect(source.base()?.settings).toBe(before);
  });

  it('forgets waiting settings that were taken back, and never uses others than the newest', () => {
    const source = base();
    adopt(source, {});
    const before = source.base()!.settings;
    update(source, { sidecar: { image: { tag: '9' } } });
    const first = source.waiting()!;
    update(source, { sidecar: { image: { tag: '10' } } });
    source.adopt(first);
    expect(source.base()?.settings).toBe(before);
    update(source, {});
    expect(source.waiting()).toBeNull();
    expect(source.base()?.previous).toBeUndefined();
  });

  it('uses settings at once that are the same to the admission policies', () => {
    const source = base();
    adopt(source, {});
    update(source, {}, [agreement('a', ['llm.example'])]);
    expect(source.waiting()).toBeNull();
    expect(source.base()?.settings.constraints).toContain('llm.example');
  });

  it('accepts the settings before for a while, and no longer', () => {
    const source = base();
    adopt(source, LEVEL('info'));
    const { config } = source.base()!.settings;
    adopt(source, LEVEL('debug'));
    now += LIMIT.previousSettingsMs - 1;
    expect(source.base()?.previous?.map((settings) => settings.config)).toEqual([config]);
    now += 1;
    expect(source.base()?.previous).toBeUndefined();
  });

  it('keeps a bounded number of former settings, the latest ones', () => {
    const source = base();
    const configs = Array.from({ length: LIMIT.previousSettings + 2 }, (_, i) => {
      adopt(source, { sidecar: { upstreamRoots: String(i) } });
      return source.base()!.settings.config;
    });
    expect(source.base()?.previous?.map(({ config }) => config)).toEqual(configs.slice(1, -1).toReversed());
  });

  it('keeps one object while nothing changes', () => {
    const source = base();
    adopt(source, LEVEL('info'));
    const before = source.base()?.settings;
    adopt(source, LEVEL('info'));
    expect(source.base()?.settings).toBe(before);
    expect(source.base()?.previous).toBeUndefined();
  });

  it('keeps what was good when values are not', () => {
    const source = base();
    adopt(source, LEVEL('info'));
    const before = source.base()?.settings;
    adopt(source, LEVEL('loud'));
    expect(source.base()?.settings).toBe(before);
    expect(faults.join()).toContain('values.sidecar.logLevel');
  });

  it('leaves agreements out whose hosts do not fit into a pod CA, by name, and says so', () => {
    const source = base();
    const many = Array.from({ length: 200 }, (_, i) => `host-${i}.a-long-name-of-a-provider.example`);
    adopt(source, {}, [agreement('b', many), agreement('a', ['llm.example'])]);
    expect(source.base()?.settings.constraints).toContain('llm.example');
    expect(source.base()?.settings.constraints).not.toContain(many[0]);
    expect(faults.join()).toContain('name constraints');
  });
});
