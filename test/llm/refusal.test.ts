import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { describe, expect, it } from 'vitest';
import type { ExchangeId } from '#contract/brand.ts';
import { REASONS, type Reason } from '#contract/reason.ts';
import type { Family } from '#llm/dialect.ts';
import { refusalBody, refusalEvent } from '#llm/refusal.ts';
import { text } from './bytes.ts';
import { eventsOf } from './stream-of.ts';

const by = { exchange: 'x-7f' as ExchangeId };
const FAMILIES: readonly Family[] = ['anthropic', 'openai', 'plain'];

describe('the body of a refusal', () => {
  it.each(Object.keys(REASONS) as Reason[])('says sentence, reason %s and exchange in each shape', (reason) => {
    for (const family of FAMILIES) {
      const body = text(refusalBody(family, { reason, where: 'messages[0]' }, by));
      const { error } = JSON.parse(body) as { error: { message: string } };
      expect(error.message).toContain(REASONS[reason].sentence);
      expect(error.message).toContain(`(messages[0]) [reason: ${reason},`);
      expect(eventsOf(text(refusalEvent(family, { reason, where: 'messages[0]' }, by)))[0]?.data).toEqual(
        JSON.parse(body),
      );
    }
  });

  it.each([
    ['body_unreadable', 'invalid_request_error'],
    ['feature_not_covered', 'permission_error'],
    ['body_too_large', 'request_too_large'],
    ['busy', 'overloaded_error'],
    ['audit_unavailable', 'api_error'],
  ] as const)('%s is %s to Anthropic', (reason, type) => {
    expect(JSON.parse(text(refusalBody('anthropic', { reason }, by)))).toMatchObject({
      type: 'error',
      error: { type },
      request_id: 'x-7f',
    });
  });

  it('has the fields of an OpenAI error', () => {
    const error = { error: { type: 'invalid_request_error', param: 'messages[1]', code: 'media_not_allowed' } };
    expect(
      JSON.parse(text(refusalBody('openai', { reason: 'media_not_allowed', where: 'messages[1]' }, by))),
    ).toMatchObject(error);
    expect(JSON.parse(text(refusalBody('openai', { reason: 'busy' }, by)))).toMatchObject({
      error: { type: 'server_error', param: null },
    });
  });
});

describe('T28: a client library raises its own error', () => {
  const answer = (family: Family, reason: Reason) => () =>
    Promise.resolve(
      new Response(text(refusalBody(family, { reason }, by)), {
        status: REASONS[reason].status,
        headers: { 'content-type': 'application/json', 'x-should-retry': 'false' },
      }),
    );
  const stream = (family: Family) => () =>
    Promise.resolve(
      new Response(text(refusalEvent(family, { reason: 'response_unreadable' }, by)), {
        headers: { 'content-type': 'text/event-stream' },
      }),
    );
  const ask = { model: 'm', max_tokens: 1, messages: [{ role: 'user' as const, content: 'x' }] };

  it('Anthropic: PermissionDeniedError with the type, and an APIError inside a stream', async () => {
    const client = new Anthropic({ apiKey: 'k', fetch: answer('anthropic', 'agreement_missing') });
    const error: unknown = await client.messages.create(ask).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(Anthropic.PermissionDeniedError);
    expect(String(error)).toContain('agreement_missing');
    const streaming = new Anthropic({ apiKey: 'k', fetch: stream('anthropic') });
    const fault: unknown = await streaming.messages
      .stream(ask)
      .finalMessage()
      .catch((reason: unknown) => reason);
    expect(fault).toBeInstanceOf(Anthropic.APIError);
    expect(String(fault)).toContain('response_unreadable');
  });

  it('OpenAI: PermissionDeniedError with the code, and an APIError inside a stream', async () => {
    const client = new OpenAI({ apiKey: 'k', fetch: answer('openai', 'agreement_missing') });
    const error: unknown = await client.chat.completions.create(ask).catch((fault: unknown) => fault);
    expect(error).toBeInstanceOf(OpenAI.PermissionDeniedError);
    expect((error as { code: unknown }).code).toBe('agreement_missing');
    const streaming = new OpenAI({ apiKey: 'k', fetch: stream('openai') });
    const fault: unknown = await streaming.chat.completions
      .stream(ask)
      .finalChatCompletion()
      .catch((reason: unknown) => reason);
    expect(fault).toBeInstanceOf(OpenAI.APIError);
    expect(String(fault)).toContain('response_unreadable');
  });
});
