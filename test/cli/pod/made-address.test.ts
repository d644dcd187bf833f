import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MadeAddresses } from '#cli/pod/made-address.ts';

describe('made addresses', () => {
  it('lie in 198.18.0.0/15 and are one for each name', () => {
    const addresses = new MadeAddresses([]);
    const seen = new Set<string>();
    for (let index = 0; index < 5_000; index += 1) {
      const address = addresses.addressOf(`host-${index}.example`);
      expect(address).toMatch(/^198\.(18|19)\.\d{1,3}\.\d{1,3}$/);
      expect(address).not.toMatch(/\.(0|255)$/);
      seen.add(address);
    }
    expect(seen.size).toBe(5_000);
  });

  it('are the same for the served names, whatever was asked for before', () => {
    fc.assert(
      fc.property(fc.array(fc.domain(), { maxLength: 40 }), (asked) => {
        const served = ['api.openai.com', 'example.org'];
        const addresses = new MadeAddresses(served);
        for (const name of asked) addresses.addressOf(name);
        expect(served.map((name) => addresses.addressOf(name))).toEqual(
          served.map((name) => new MadeAddresses(served).addressOf(name)),
        );
      }),
    );
  });

  it('leave an address literal as it is', () => {
    expect(new MadeAddresses([]).addressOf('10.1.2.3')).toBe('10.1.2.3');
    expect(new MadeAddresses([]).addressOf('2001:db8::1')).toBe('2001:db8::1');
  });
});
