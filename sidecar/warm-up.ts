import type { Host } from '#contract/brand.ts';
import { parseHost } from '#contract/host.ts';
import type { Policy } from '#contract/policy.ts';
import { parseRequest } from '#llm/parse-request.ts';
import { redact } from '#phi/redact.ts';
import { createRestorer } from '#phi/restore.ts';

/** An invented prompt, long enough that the engine compiles what real ones will use. */
const PROMPT = JSON.stringify({
  model: 'warm-up',
  max_tokens: 1,
  messages: [
    {
      role: 'user',
      content:
        'Patient John Doe, DOB 01/02/1960, MRN 1234567, phone 217-555-0100, seen by Dr. Jane Roe on March 3, 2024 for cough. '.repeat(
          20,
        ),
    },
  ],
});
/** Before the first connection, in one go: loads and compiles what every exchange uses. */
const FIRST_ROUNDS = 20;
/** Afterwards, a round at a time beside the traffic: V8 makes the hot parts fast only after hundreds of calls. */
const LATER_ROUNDS = 600;
const ROUND_EVERY_MS = 5;

/** Runs the pure part of an exchange, so that the first real ones do not pay for loading and compiling it. */
export function warmUpEngine(): void {
  const body = Buffer.from(PROMPT);
  for (let i = 0; i < FIRST_ROUNDS; i++) runRound(body);
  let left = LATER_ROUNDS;
  const timer = setInterval(() => {
    runRound(body);
    left -= 1;
    if (left === 0) clearInterval(timer);
  }, ROUND_EVERY_MS);
  timer.unref();
}

function runRound(body: Uint8Array): void {
  const parsed = parseRequest('anthropic-messages', { body, headers: [], allowMedia: false });
  if (parsed.kind !== 'parsed') throw new Error('the dialect cannot read its own prompt');
  const redacted = redact(parsed.request.sites, { dates: 'keep-year', actions: {} });
  if (redacted.kind !== 'redacted') throw new Error('the detector does not run');
  const sent = parsed.request.rewrite(redacted.texts);
  createRestorer(redacted.vault, 'text').push(Buffer.from(sent).toString());
}

/** The names of agreements that a leaf certificate can be issued for ahead of the first connection. */
export function agreementHosts(policy: Policy | null): readonly Host[] {
  const hosts = (policy?.agreements ?? []).flatMap(({ hosts: patterns }) => patterns.map(parseHost));
  return hosts.filter((host) => host !== null);
}
