/** How a response body has to be read. */
export type BodyForm = 'json' | 'sse' | 'unreadable';

/**
 * Names the form of a response body by its `content-type` (RFC 9110 §8.3), whatever the request asked for: a stream may
 * be answered with a plain error.
 * @param contentType the field's value, undefined when there is none or more than one
 */
export function bodyForm(contentType: string | undefined): BodyForm {
  const [type, ...parameters] = (contentType ?? '')
    .toLowerCase()
    .split(';')
    .map((part) => part.trim());
  const charset = parameters.find((parameter) => parameter.startsWith('charset='));
  if (charset !== undefined && !/^charset="?utf-?8"?$/.test(charset)) return 'unreadable';
  if (type === 'application/json') return 'json';
  return type === 'text/event-stream' ? 'sse' : 'unreadable';
}
