import { describe, expect, it } from 'vitest';
import { parseOptions } from '#cli/pod/options.ts';

describe('options of a pod run', () => {
  it('end at the first "--"; everything behind it is the command', () => {
    const parsed = parseOptions(['--monitor', '--', 'curl', '--', '--monitor', '--uid']);
    expect(parsed).toEqual({
      ok: true,
      options: { upstreams: [], monitor: true, uid: 1000, command: ['curl', '--', '--monitor', '--uid'] },
    });
  });

  it('take a value behind a space or behind "="', () => {
    const spaced = parseOptions(['--log', '/tmp/log', '--uid', '7', '--', 'true']);
    expect(parseOptions(['--log=/tmp/log', '--uid=7', '--', 'true'])).toEqual(spaced);
    expect(spaced).toMatchObject({ ok: true, options: { log: '/tmp/log', uid: 7 } });
  });

  it.each([
    ['api.openai.com=127.0.0.1:8443', { host: 'api.openai.com', address: '127.0.0.1', port: 8443 }],
    ['API.OpenAI.com.=[::1]:8443', { host: 'api.openai.com', address: '::1', port: 8443 }],
    ['10.1.2.3=db.internal:5432', { host: '10.1.2.3', address: 'db.internal', port: 5432 }],
    ['2001:db8::7=127.0.0.1:80', { host: '2001:db8::7', address: '127.0.0.1', port: 80 }],
  ])('read the upstream %s', (text, upstream) => {
    expect(parseOptions(['--upstream', text, '--', 'true'])).toMatchObject({
      ok: true,
      options: { upstreams: [upstream] },
    });
    expect(parseOptions([`--upstream=${text}`, '--', 'true'])).toMatchObject({
      ok: true,
      options: { upstreams: [upstream] },
    });
  });

  it.each([
    [[], 'COMMAND'],
    [['true'], 'COMMAND'],
    [['--'], 'COMMAND'],
    [['--upstream', 'a.example', '--', 'true'], 'HOST=ADDRESS:PORT'],
    [['--upstream', 'a.example=1.2.3.4', '--', 'true'], 'HOST=ADDRESS:PORT'],
    [['--upstream', 'a.example=1.2.3.4:70000', '--', 'true'], 'HOST=ADDRESS:PORT'],
    [['--upstream', 'bad host=1.2.3.4:1', '--', 'true'], 'HOST=ADDRESS:PORT'],
    [['--uid', '-1', '--', 'true'], '--uid'],
    [['--uid', '4294967295', '--', 'true'], '--uid'],
    [['--store', '--', 'true'], '--store wants a value'],
    [['--store=', '--', 'true'], '--store wants a path'],
    [['--constructor', 'x', '--', 'true'], '--constructor is not an option'],
    [['stray', '--', 'true'], 'stray'],
  ])('are refused with a sentence and the usage: %j', (argv, said) => {
    const parsed = parseOptions(argv);
    expect(parsed.ok ? '' : parsed.fault).toContain(said);
    expect(parsed.ok ? '' : parsed.fault).toContain('usage: npm run pod');
  });
});
