import { describe, expect, it } from 'vitest';
import { summarizePod } from '#controller/cluster/pod-summary.ts';
import { admit, makePod } from '#test/controller/admission/fixture.ts';

const META = { name: 'a', namespace: 'phi', uid: 'u', labels: { app: 'x' }, creationTimestamp: '2026-01-02T03:04:05Z' };

describe('the summary of a pod', () => {
  it('holds the chain, the image and the readiness of the sidecar that we put there', () => {
    const { spec } = admit(makePod());
    const status = {
      phase: 'Running',
      initContainerStatuses: [
        { name: 'lazaret-init', ready: true },
        { name: 'lazaret-sidecar', ready: true },
      ],
    };
    expect(summarizePod({ metadata: META, spec: { ...spec, serviceAccountName: 's', nodeName: 'n' }, status })).toEqual(
      {
        namespace: 'phi',
        name: 'a',
        uid: 'u',
        labels: { app: 'x' },
        serviceAccount: 's',
        node: 'n',
        chain: expect.stringMatching(/^[0-9a-f]{32}$/) as unknown,
        sidecarImage: 'lazaret/sidecar:0.1.0',
        createdAt: Date.parse('2026-01-02T03:04:05Z'),
        phase: 'Running',
        ready: true,
      },
    );
  });

  it('takes no container for ours that only has its name', () => {
    const spec = {
      initContainers: [
        { name: 'lazaret-sidecar', image: 'x', env: [{ name: 'LAZARET_CHAIN', value: '0'.repeat(32) }] },
      ],
    };
    expect(summarizePod({ metadata: META, spec })).toMatchObject({
      chain: null,
      sidecarImage: 'x',
      ready: false,
      phase: 'Unknown',
    });
  });

  it('survives an object without anything', () => {
    expect(summarizePod({})).toMatchObject({ namespace: '', name: '', chain: null, createdAt: 0, labels: {} });
  });
});
