import { describe, expect, it } from 'vitest';
import { parseSocketAddress, parseUdpDestination } from '#sidecar/init/address.ts';

describe('addresses of settings', () => {
  it.each([
    ['10.96.0.10', { family: 4, address: '10.96.0.10', port: 53 }],
    ['10.96.0.10:5353', { family: 4, address: '10.96.0.10', port: 5353 }],
    ['fd00::A', { family: 6, address: 'fd00::a', port: 53 }],
    ['[fd00::a]:5353', { family: 6, address: 'fd00::a', port: 5353 }],
    ['::ffff:10.0.0.1', { family: 4, address: '10.0.0.1', port: 53 }],
  ])('%s is one address and port', (text, expected) => {
    expect(parseSocketAddress(text, 53)).toEqual(expected);
  });

  it.each([
    '',
    'dns.example',
    '010.0.0.1',
    '10.1',
    '0x0a000001',
    '10.0.0.1:0',
    '10.0.0.1:65536',
    '10.0.0.0/8',
    'fe80::1%eth0',
    '10.0.0.1; accept',
  ])('%j is not an address', (text) => {
    expect(parseSocketAddress(text, 53)).toBeNull();
  });

  it.each([
    ['10.1.0.0/16:123', { family: 4, address: '10.1.0.0', bits: 16, port: 123 }],
    ['10.1.2.3:123', { family: 4, address: '10.1.2.3', bits: 32, port: 123 }],
    ['[2001:db8::/32]:514', { family: 6, address: '2001:db8::', bits: 32, port: 514 }],
  ])('%s is a UDP destination', (text, expected) => {
    expect(parseUdpDestination(text)).toEqual(expected);
  });

  it.each([
    '10.1.0.0/16',
    '10.1.0.0/33:1',
    '10.1.0.0/:1',
    '10.1.0.0/8/8:1',
    '[2001:db8::]/32:514',
    'ntp.example:123',
    '10.0.0.1:99999',
  ])('%j is no UDP destination', (text) => {
    expect(parseUdpDestination(text)).toBeNull();
  });
});
