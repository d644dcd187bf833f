import { describe, expect, it } from 'vitest';
import { formatCpu, formatMemory, parseQuantity } from '#controller/admission/quantity.ts';
import { compileSettings } from '#controller/admission/settings.ts';
import { parseAdmissionValues } from '#controller/admission/values.ts';

const faults = (values: unknown) => {
  const parsed = parseAdmissionValues(values);
  return parsed.ok ? [] : parsed.faults;
};

describe('the chart’s values', () => {
  it('have defaults such that nothing has to be written', () => {
    for (const nothing of [{}, null, undefined, { sidecar: {}, init: {}, network: {}, admission: {} }])
      expect(faults(nothing)).toEqual([]);
  });

  it('may hold what other parts of the release read', () => {
    expect(
      faults({
        webhook: { replicaCount: 2 },
        network: { mode: 'init' },
        egress: { destinations: ['example.org'] },
        audit: { retention: '6y' },
      }),
    ).toEqual([]);
  });

  it('report all faults together, by field', () => {
    const told = faults({
      sidecar: { resources: { limits: { cpu: 'much' } }, image: { digest: 'sha256:12' }, colour: 'red' },
      admission: { overlayPaths: ['relative'], proxies: ['proxy:3128'] },
    });
    expect(told).toHaveLength(5);
    expect(told.join('\n')).toContain('values.sidecar.resources.limits.cpu: must be an amount of CPU');
    expect(told.join('\n')).toContain('values.admission.overlayPaths.0: must be an absolute path of a file');
  });

  it('cannot smuggle a reference to a variable into a container', () => {
    expect(faults({ egress: { proxy: 'http://$(HOME):3128' } })).toHaveLength(1);
    expect(faults({ network: { udpAllowed: ['$(X):53'] } })).toHaveLength(1);
  });

  it('change the configuration hash when they change a pod', () => {
    const hash = (values: unknown, hosts: readonly string[] = []) => {
      const parsed = parseAdmissionValues(values);
      if (!parsed.ok) throw new Error('faults');
      return compileSettings(parsed.values, { bundleKeys: '', releaseAuthority: '' }, hosts).config;
    };
    expect(hash({})).toBe(hash({}));
    expect(hash({ sidecar: { logLevel: 'debug' } })).not.toBe(hash({}));
    expect(hash({}, ['llm.example.org'])).not.toBe(hash({}));
  });

  it('are refused when their files are more than one variable of a pod can hold', () => {
    const parsed = parseAdmissionValues({
      audit: { recipients: 'x'.repeat(60_000) },
      sidecar: { upstreamRoots: 'x'.repeat(65_000) },
    });
    if (!parsed.ok) throw new Error('faults');
    const compile = () => compileSettings(parsed.values, { bundleKeys: '', releaseAuthority: '' }, []);
    expect(compile).toThrow(/^audit\.recipients and sidecar\.upstreamRoots hold more than the 122880 characters/);
  });
});

describe('a quantity', () => {
  it('is written as the API server would write it', () => {
    expect([0.05, 0.1, 1, 1.5, 2].map(formatCpu)).toEqual(['50m', '100m', '1', '1500m', '2']);
    expect(['1024Mi', '0.5Gi', '1000', '1Ki', '1500Mi'].map((text) => formatMemory(parseQuantity(text) ?? 0))).toEqual([
      '1Gi',
      '512Mi',
      '1000',
      '1Ki',
      '1500Mi',
    ]);
  });

  it('is refused when it is not plainly one', () => {
    for (const text of ['', 'm', '-1', '1 Gi', '1e3', '1GiB', '0x10', '1,5', 'Infinity', '1'.repeat(30)])
      expect(parseQuantity(text)).toBeNull();
  });
});
