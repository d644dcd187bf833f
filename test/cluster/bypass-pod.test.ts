// What an application in a guarded pod can try by itself. What is not refused here stands in docs/limits.md, and the test of it says so.
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ProbeOutcome, ProbeStep } from './bypass-probe.ts';
import { identityOf, modelRequest, probe, PROMPT, setStage, shell, type Stage, STRANGER_NAME } from './bypass-stage.ts';

let stage: Stage;
let guard: { readonly uid: number; readonly gid: number };
const SOCKETS: Record<string, Readonly<Record<string, string>>> = {};

beforeAll(async () => {
  stage = await setStage();
  guard = await identityOf(stage);
  for (const container of ['app', 'root', 'confined']) {
    const script = `perl /probe/bypass-sockets.pl ${guard.uid} ${guard.gid} ${stage.stranger.address}`;
    SOCKETS[container] = JSON.parse((await shell(stage, script, container)).said);
  }
});
afterAll(() => stage?.leave());

interface Row {
  readonly what: string;
  readonly step: (at: { readonly stranger: string; readonly relay: string; readonly provider: string }) => ProbeStep;
  /** What the client meets: the error's code, or the beginning of the answer. */
  readonly meets: string;
}

const STRANGER_TARGET = `${STRANGER_NAME}:443`;
const get = (host: string, target = '/') => `GET ${target} HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
const openTunnel = (target: string, verb = 'CONNECT') => `${verb} ${target} HTTP/1.1\r\nHost: ${target}\r\n\r\n`;
const chat = (host: string) => modelRequest(host, '/v1/chat/completions');

const places = () => ({
  stranger: stage.stranger.address,
  relay: stage.relay,
  provider: stage.product.provider.address,
});

/** All rows of a group in one process of the pod: each start of one costs half a second. */
async function tryAll(rows: readonly Row[]): Promise<ReadonlyMap<string, ProbeOutcome>> {
  const outcomes = await probe(
    stage,
    rows.map(({ step }) => step(places())),
  );
  return new Map(rows.map(({ what }, index) => [what, outcomes[index] ?? { code: 'MISSING', text: '', reasons: {} }]));
}

const ALERT = 'ERR_SSL_TLSV1_ALERT_ACCESS_DENIED';
const reason = 'destination_not_allowed';

const NETWORK: readonly Row[] = [
  {
    what: 'another port and protocol (SSH)',
    step: ({ stranger: host }) => ({ do: 'tcp', host, port: 22, send: 'SSH-2.0-OpenSSH_9\r\n', reason }),
    meets: 'ECONNRESET',
  },
  {
    what: 'TLS to an address without a name',
    step: ({ stranger: host }) => ({ do: 'tls', host, port: 443, reason }),
    meets: ALERT,
  },
  {
    what: 'TLS on another port',
    step: ({ stranger: host }) => ({ do: 'tls', host, port: 8443, name: STRANGER_NAME, reason }),
    meets: ALERT,
  },
  {
    what: 'clear HTTP to an address',
    step: ({ stranger: host }) => ({ do: 'tcp', host, port: 80, send: get(host), reason }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'clear HTTP to a name that nobody listed',
    step: ({ stranger: host }) => ({ do: 'tcp', host, port: 80, send: get(STRANGER_NAME), reason }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'an IPv4 address inside an IPv6 one',
    step: ({ stranger }) => ({ do: 'tcp', host: `::ffff:${stranger}`, port: 22, send: 'SSH-2.0-x\r\n', reason }),
    meets: 'ECONNRESET',
  },
  {
    what: 'DNS over TLS to a stranger',
    step: ({ stranger: host }) => ({ do: 'tls', host, port: 853, reason }),
    meets: 'ECONNRESET',
  },
  {
    what: 'DNS over TLS inside the cluster',
    step: ({ relay: host }) => ({ do: 'tcp', host, port: 853, send: '\x16\x03\x01', reason }),
    meets: 'ECONNRESET',
  },
  {
    what: 'a resolver of its own over TCP',
    step: ({ stranger: host }) => ({ do: 'tcp', host, port: 53, send: '\0\x1d', reason }),
    meets: 'ECONNRESET',
  },
  {
    what: 'a resolver of its own inside the cluster over TCP',
    step: ({ relay: host }) => ({ do: 'tcp', host, port: 53, send: '\0\x1d', reason }),
    meets: 'ECONNRESET',
  },
  ...([53, 443, 853, 5000] as const).map(
    (port): Row => ({
      what: `UDP ${port} (${{ 53: 'own resolver', 443: 'QUIC', 853: 'DNS over QUIC', 5000: 'any' }[port]})`,
      step: ({ stranger: host }) => ({ do: 'udp', host, port }),
      meets: 'EPERM',
    }),
  ),
  {
    what: 'a resolver of its own inside the cluster over UDP',
    step: ({ relay: host }) => ({ do: 'udp', host, port: 53 }),
    meets: 'EPERM',
  },
  {
    what: 'the guard’s own port, dialled directly',
    step: () => ({ do: 'tcp', host: '127.0.0.1', port: 15_001, send: chat('api.openai.com'), reason }),
    meets: 'ECONNRESET',
  },
];

const UNCOVERED = 'agreement_missing';
const ODD = 'protocol_not_allowed';

const DISGUISE: readonly Row[] = [
  {
    what: 'a provider without an agreement',
    step: ({ provider: host }) => ({
      do: 'tls',
      host,
      port: 443,
      name: 'api.openai.com',
      send: chat('api.openai.com'),
      reason: UNCOVERED,
    }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'a provider in clear HTTP',
    step: ({ provider: host }) => ({
      do: 'tcp',
      host,
      port: 80,
      send: chat('api.openai.com'),
      reason: UNCOVERED,
    }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'a provider in clear HTTP at the address of another',
    step: ({ stranger: host }) => ({ do: 'tcp', host, port: 80, send: chat('api.openai.com'), reason: UNCOVERED }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'a provider with the certificate of its own behind a private address',
    step: ({ relay: host }) => ({
      do: 'tls',
      host,
      port: 443,
      name: 'api.openai.com',
      send: chat('api.openai.com'),
      reason: UNCOVERED,
    }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'a model’s request in clear HTTP to a service of the cluster',
    step: ({ relay: host }) => ({ do: 'tcp', host, port: 80, send: modelRequest('models.corp'), reason: UNCOVERED }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'a Host that is not the name of the handshake',
    step: ({ provider: host }) => ({
      do: 'tls',
      host,
      port: 443,
      name: 'api.anthropic.com',
      send: modelRequest('api.openai.com'),
      reason: ODD,
    }),
    meets: 'HTTP/1.1 400',
  },
  {
    what: 'another provider’s request on an HTTP/2 connection that is open',
    step: ({ provider: host }) => ({
      do: 'h2',
      host,
      port: 443,
      name: 'api.anthropic.com',
      authority: 'api.openai.com',
      reason: ODD,
    }),
    meets: '400 protocol_not_allowed',
  },
  {
    what: 'a target in absolute form that is not the Host',
    step: ({ relay: host }) => ({
      do: 'tcp',
      host,
      port: 80,
      send: get('relay.corp', `http://${STRANGER_NAME}/`),
      reason: ODD,
    }),
    meets: 'HTTP/1.1 400',
  },
];

const RELAY: readonly Row[] = [
  {
    what: 'CONNECT to a stranger’s name',
    step: ({ relay: host }) => ({ do: 'tcp', host, port: 3128, send: openTunnel(STRANGER_TARGET), reason }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'CONNECT to a stranger’s address',
    step: ({ relay: host, stranger }) => ({ do: 'tcp', host, port: 3128, send: openTunnel(`${stranger}:443`), reason }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'CONNECT in small letters',
    step: ({ relay: host }) => ({
      do: 'tcp',
      host,
      port: 3128,
      send: openTunnel(STRANGER_TARGET, 'connect'),
      reason: ODD,
    }),
    meets: 'HTTP/1.1 400',
  },
  {
    what: 'CONNECT to a provider without an agreement, with TLS inside',
    step: ({ relay: host }) => ({
      do: 'tls',
      host,
      port: 3128,
      tunnel: 'api.openai.com:443',
      name: 'api.openai.com',
      send: chat('api.openai.com'),
      reason: UNCOVERED,
    }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'CONNECT to a provider with a stranger’s name inside',
    step: ({ relay: host }) => ({
      do: 'tls',
      host,
      port: 3128,
      tunnel: 'api.openai.com:443',
      name: STRANGER_NAME,
      reason,
    }),
    meets: ALERT,
  },
  {
    what: 'CONNECT after an ordinary request on the same connection',
    step: ({ relay: host }) => ({
      do: 'tcp',
      host,
      port: 3128,
      send: get('relay.corp'),
      next: openTunnel(STRANGER_TARGET),
      reason,
    }),
    meets: 'ECONNRESET',
  },
  {
    what: 'a request in absolute form',
    step: ({ relay: host }) => ({
      do: 'tcp',
      host,
      port: 3128,
      send: get(STRANGER_NAME, `http://${STRANGER_NAME}/`),
      reason,
    }),
    meets: 'HTTP/1.1 403',
  },
  {
    what: 'SOCKS5',
    step: ({ relay: host }) => ({ do: 'tcp', host, port: 3128, send: '\x05\x01\x00', reason }),
    meets: 'ECONNRESET',
  },
];

describe.each([
  ['Out of the pod', NETWORK],
  ['Towards a model', DISGUISE],
  ['By a proxy inside the cluster', RELAY],
])('%s, an application meets a refusal for', (_, rows) => {
  let met: ReadonlyMap<string, ProbeOutcome>;
  let before: { readonly taken: number; readonly received: number; readonly told: readonly string[] };
  beforeAll(async () => {
    before = {
      taken: stage.stranger.taken.length,
      received: stage.product.provider.received.length,
      told: await stage.told(),
    };
    met = await tryAll(rows);
  });

  it.each(rows)('$what', ({ what, step, meets }) => {
    const outcome = met.get(what);
    const asked = step({ stranger: '', relay: '', provider: '' }).reason;
    expect(`${outcome?.code ?? ''}${outcome?.text ?? ''}`).toContain(meets);
    if (asked !== undefined) expect(outcome?.reasons).toHaveProperty(asked);
  });

  it('and nothing arrives: not at the stranger, not at a provider, not at the proxy', async () => {
    expect(stage.stranger.taken.slice(before.taken)).toEqual([]);
    expect(stage.product.provider.received.slice(before.received)).toEqual([]);
    // An ordinary request may go there; what follows it may not.
    expect((await stage.told()).slice(before.told.length).filter((it) => !it.startsWith('proxy: GET / '))).toEqual([]);
  });
});

describe('A covered request', () => {
  it.each(['stranger', 'relay'] as const)(
    'under the provider’s name to the address of a %s goes to the provider all the same, redacted',
    async (whose) => {
      const before = [stage.stranger.taken.length, (await stage.told()).length];
      const send = modelRequest('api.anthropic.com');
      const [met] = await probe(stage, [
        { do: 'tls', host: places()[whose], port: 443, name: 'api.anthropic.com', send },
      ]);
      expect(met?.text).toContain('HTTP/1.1 200');
      const body = stage.product.provider.received.at(-1)?.body.toString() ?? '';
      expect(body).toContain('claude-sonnet-4-5');
      for (const word of ['Gonzalez', '48120937', '555-0148']) expect(body).not.toContain(word);
      expect([stage.stranger.taken.length, (await stage.told()).length]).toEqual(before);
    },
  );

  it('in clear HTTP reaches nobody in clear', async () => {
    const before = stage.stranger.taken.length;
    const send = modelRequest('api.anthropic.com');
    const [met] = await probe(stage, [{ do: 'tcp', host: stage.stranger.address, port: 80, send, reason: ODD }]);
    expect(met?.text).toContain('A provider is reached over TLS only');
    expect(met?.reasons).toHaveProperty(ODD);
    expect(stage.stranger.taken.length).toBe(before);
  });
});

describe.each(['app', 'root'])('A process of the container %s', (container) => {
  it.each([
    ['raw tcp', 'EPERM'],
    ['raw icmp', 'EPERM'],
    ['raw header', 'EPERM'],
    ['packet', 'EPERM'],
    ['packet datagram', 'EPERM'],
    ['xdp', 'EPERM'],
    ['udplite', 'EPERM'],
    ['setuid', 'EPERM'],
    ['setgid', 'EPERM'],
    ['groups', 'refused'],
  ])('is refused: %s', (name, code) => {
    expect(SOCKETS[container]?.[name]).toBe(code);
  });

  it.each(['sctp', 'dccp', 'mptcp'])('gets nothing out by %s', (name) => {
    expect(SOCKETS[container]?.[name]).not.toMatch(/^done|^read/);
  });

  it('cannot read, change or remove the packet rules', async () => {
    for (const command of ['list ruleset', 'flush ruleset', 'delete table inet lazaret'])
      expect((await shell(stage, `nft ${command}`, container)).said).toContain('Operation not permitted');
  });

  it('has neither capabilities that matter nor a way to more', async () => {
    const { said } = await shell(stage, 'grep -E "^(CapBnd|NoNewPrivs)" /proc/self/status', container);
    const bounds = BigInt(`0x${/CapBnd:\s+(\w+)/.exec(said)?.[1]}`);
    // SETGID 6, SETUID 7, SETPCAP 8, NET_ADMIN 12, NET_RAW 13, SYS_MODULE 16, SYS_PTRACE 19, SYS_ADMIN 21, SETFCAP 31, PERFMON 38, BPF 39
    for (const capability of [6n, 7n, 8n, 12n, 13n, 16n, 19n, 21n, 31n, 38n, 39n])
      expect((bounds >> capability) & 1n).toBe(0n);
    expect(said).toMatch(/NoNewPrivs:\s+1/);
  });

  it('gains nothing in a user namespace of its own', async () => {
    const packet = `perl -e 'socket(my $s, 17, 3, 0x300) and print "packet socket\\n"'`;
    const script = `unshare --user --map-root-user sh -c '${packet.replaceAll("'", `'\\''`)}; nft list ruleset; setpriv --reuid=${guard.uid} id'`;
    const { said } = await shell(stage, script, container);
    expect(said).not.toMatch(/packet socket|chain|uid=/);
  });

  it('does not become the guard by a program that is setuid to it', async () => {
    const make = `cp /usr/bin/id /shared/guard && chown ${guard.uid}:${guard.gid} /shared/guard && chmod 6755 /shared/guard`;
    expect((await shell(stage, make, 'root')).status).toBe(0);
    const { said } = await shell(stage, '/shared/guard', container);
    expect(said).toMatch(/^uid=\d+/);
    expect(said).not.toContain(String(guard.uid));
    expect(said).not.toContain(String(guard.gid));
    expect(said).not.toContain('euid');
  });

  it('sees no process and no file of the guard, and so cannot kill it or read its key', async () => {
    const script =
      'cat /proc/[0-9]*/cmdline | tr "\\0" " "; ls /run/lazaret; cat /run/lazaret/ca/* /run/secrets/lazaret/*';
    const { said } = await shell(stage, script, container);
    expect(said).not.toMatch(/sidecar|BEGIN|eyJ/);
    expect(said).toContain('trust');
    expect(said).toContain('/run/lazaret/ca/*');
    expect((await shell(stage, 'echo x >> "$SSL_CERT_FILE"', container)).said).toMatch(/Permission denied|Read-only/);
  });

  it('learns from the guard’s open port numbers only, and changes nothing there', async () => {
    const url = 'http://127.0.0.1:15020';
    const script = `const all = [];
      for (const [method, path] of [['GET', '/metrics'], ['POST', '/metrics'], ['GET', '/policy'], ['PUT', '/healthz']])
        { const answer = await fetch('${url}' + path, { method }); all.push([answer.status, await answer.text()]); }
      console.log(JSON.stringify(all));`;
    const { said } = await shell(stage, `node --input-type=module -e "${script}"`, container);
    const answers = JSON.parse(said) as readonly (readonly [number, string])[];
    expect(answers.map(([status]) => status)).toEqual([200, 405, 404, 405]);
    expect(answers[0]?.[1]).not.toMatch(/Gonzalez|48120937|sk-ant|stranger|BEGIN/);
  });
});

describe('What passes, as docs/limits.md says:', () => {
  it('“Relay inside the cluster”: a protocol of its own to a private address carries text out', async () => {
    const [met] = await probe(stage, [{ do: 'tcp', host: stage.relay, port: 9000, send: `\x01\x02${PROMPT}` }]);
    expect(met?.text).toBe('taken');
    expect((await stage.told()).at(-1)).toContain(PROMPT);
  });

  it('“TLS to a private gateway”: a name that nobody declared is not opened', async () => {
    const send = modelRequest('models.corp');
    const [met] = await probe(stage, [{ do: 'tls', host: stage.relay, port: 443, name: 'models.corp', send }]);
    expect(met?.text).toContain('200 OK');
    expect((await stage.told()).at(-1)).toContain(PROMPT);
  });

  it('“DNS”: a name that is asked for leaves by the configured resolver', async () => {
    const ask = `const { promises: { resolve4 } } = require('dns'); resolve4('maria-gonzalez.stranger.example.net').catch((e) => console.log(e.code))`;
    expect((await shell(stage, `node -e "${ask}"`)).said.trim()).toBe('ENOTFOUND');
  });

  it('“ICMP”: where the node gives programs echo sockets, there is one', () => {
    expect(['done', 'EACCES']).toContain(SOCKETS['app']?.['ping']);
  });

  it('“Sockets that are no IP”: VSOCK is there, and is not under the runtime’s own seccomp profile', () => {
    expect(['done', 'EAFNOSUPPORT']).toContain(SOCKETS['root']?.['vsock']);
    expect(SOCKETS['confined']?.['vsock']).toBe('EPERM');
  });

  it('“An image that runs as the guard”: its uid can be seen in /proc/net/tcp, its gid nowhere in the pod', async () => {
    const { said } = await shell(stage, 'cat /proc/net/tcp /proc/net/tcp6');
    expect(said).toContain(` ${guard.uid} `);
    const everywhere = await shell(
      stage,
      'env; cat /proc/net/* /proc/self/mountinfo 2>/dev/null; ls -ln /run /run/lazaret /run/lazaret/trust',
    );
    expect(everywhere.said).not.toMatch(new RegExp(`\\b${guard.gid}\\b`));
  });
});
