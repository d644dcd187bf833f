import { describe, expect, it } from 'vitest';
import { dialectFor, familyFor } from '#llm/dialect.ts';
import { bodyForm } from '#llm/media-type.ts';

describe('operations', () => {
  it('the two operations are known by method and path', () => {
    expect(dialectFor('POST', '/v1/messages')).toEqual({
      dialect: 'anthropic-messages',
      endpoint: 'POST /v1/messages',
    });
    expect(dialectFor('POST', '/v1/messages?beta=true')?.endpoint).toBe('POST /v1/messages');
    expect(dialectFor('POST', '/v1/chat/completions')).toEqual({
      dialect: 'openai-chat',
      endpoint: 'POST /v1/chat/completions',
    });
  });

  it.each([
    ['GET', '/v1/messages'],
    ['post', '/v1/messages'],
    ['POST', '/v1/messages/'],
    ['POST', '//v1/messages'],
    ['POST', '/v1/../v1/messages'],
    ['POST', '/v1/%6dessages'],
    ['POST', '/V1/messages'],
    ['POST', '/v1/messages;x'],
    ['POST', '/v1/messages#x'],
    ['POST', '/v1/messages?'],
    ['POST', '/v1/messages?beta=true&patient=Ada'],
    ['POST', '/v1/messages?note=Ada'],
    ['POST', '/v1/messages/count_tokens'],
    ['POST', '/v1/messages/batches'],
    ['POST', '/v1/chat/completions?api-version=1'],
    ['GET', '/v1/chat/completions/chatcmpl-1'],
    ['POST', '/v1/responses'],
    ['POST', '/v1/files'],
    ['POST', '/'],
    ['POST', ''],
    ['constructor', ''],
  ])('%s %s is none', (method, target) => {
    expect(dialectFor(method, target)).toBeNull();
  });

  it('the family follows host and path', () => {
    expect(familyFor('api.anthropic.com', '/v1/files')).toBe('anthropic');
    expect(familyFor('gateway.example.org', '/anthropic/v1/messages?beta=true')).toBe('anthropic');
    expect(familyFor('api.openai.com', '/anything')).toBe('openai');
    expect(familyFor('eu.api.openai.com', '/v1/responses')).toBe('openai');
    expect(familyFor('api.groq.com', '/openai/v1/chat/completions')).toBe('openai');
    expect(familyFor('openrouter.ai', '/api/v1/embeddings')).toBe('openai');
    expect(familyFor('example.org', '/')).toBe('plain');
    expect(familyFor('notapi.openai.com.example.org', '/x')).toBe('plain');
  });
});

describe('the form of a body', () => {
  it.each([
    ['application/json', 'json'],
    ['Application/JSON; charset=UTF-8', 'json'],
    ['text/event-stream', 'sse'],
    ['text/event-stream; charset="utf-8"', 'sse'],
    ['text/event-stream;charset=iso-8859-1', 'unreadable'],
    ['application/json; charset=utf-16', 'unreadable'],
    ['text/html', 'unreadable'],
    ['application/jsonl', 'unreadable'],
    ['', 'unreadable'],
    [undefined, 'unreadable'],
  ])('%s is %s', (contentType, form) => {
    expect(bodyForm(contentType)).toBe(form);
  });
});
