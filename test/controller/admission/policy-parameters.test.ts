import { describe, expect, it } from 'vitest';
import { policyParameters } from '#controller/admission/policy-parameters.ts';
import { admit, makePod, makeSettings } from './fixture.ts';

const settings = makeSettings();
const next = makeSettings({ network: { resolvers: ['10.1.1.1'] }, sidecar: { image: { tag: '0.2.0' } } });

describe('policyParameters', () => {
  it('holds the very values that a guarded pod carries', () => {
    const values = { sidecar: { upstreamRoots: 'costs $(1) and $$' } };
    const init = admit(makePod(), { values }).spec?.initContainers?.[0];
    const valueOf = (variable: string) => init?.env?.find(({ name }) => name === variable)?.value;
    const parameters = policyParameters(makeSettings(values), {});
    expect(parameters['_files.current']).toBe(valueOf('LAZARET_FILES'));
    expect(parameters['_resolvers.current']).toBe(valueOf('LAZARET_RESOLVERS'));
    expect(parameters['_init-image.current']).toBe(init?.image);
  });

  it('keeps what was current before as the previous value', () => {
    const first = policyParameters(settings, {});
    const second = policyParameters(next, first);
    expect(second['_sidecar-image.current']).toBe('lazaret/sidecar:0.2.0');
    expect(second['_sidecar-image.previous']).toBe('lazaret/sidecar:0.1.0');
    expect(second['_resolvers.previous']).toBe('10.96.0.10');
    expect(Object.keys(second)).not.toContain('_init-image.previous');
  });

  it('changes nothing when nothing changed, and keeps the previous value then', () => {
    const second = policyParameters(next, policyParameters(settings, {}));
    expect(policyParameters(next, second)).toEqual(second);
  });

  it('takes over nothing that is not a parameter', () => {
    const former = { 'clinic.B-28': '*', '_unknown.current': 'x', '_files.other': 'x' };
    expect(policyParameters(settings, former)).toEqual(policyParameters(settings, {}));
  });
});
