import { usageOf } from './anthropic-response.ts';
import {
  addOffsets,
  byType,
  elements,
  type Find,
  type FindTable,
  members,
  restored,
  restoredArgument,
  stringElse,
  untouched,
} from './found.ts';
import { eachElement, type JsonTree, kindOf, memberOf, memberString, ROOT } from './json-tree.ts';
import type { ResponseMeta } from './response.ts';
import { plainId } from './vocabulary.ts';

const urlCitation = members({ title: restored, url: restored });
/** `annotations` of a message: titles and links, and offsets into the message's own text. */
export const annotations: Find = elements(
  members({
    url_citation: (found, node) => {
      urlCitation(found, node);
      addOffsets(found, node, ['start_index', 'end_index']);
    },
  }),
);

/** Tool calls of an answer by type. A type that is not here makes the answer unreadable. */
export const RESPONSE_TOOL_CALLS: FindTable = {
  function: members({ function: members({ arguments: restoredArgument }) }),
  custom: members({ custom: members({ input: restored }) }),
};

/** Content parts of an answer, which some servers send instead of a string. */
const RESPONSE_PARTS: FindTable = { text: members({ text: restored }), refusal: members({ refusal: restored }) };

const message: Find = members({
  content: stringElse(restored, elements(byType(RESPONSE_PARTS))),
  refusal: restored,
  reasoning_content: restored,
  reasoning: restored,
  tool_calls: elements(byType(RESPONSE_TOOL_CALLS)),
  function_call: members({ arguments: restoredArgument }),
  audio: members({ transcript: restored }),
  annotations,
});

/** An error of OpenAI's shape; `param` and `code` name fields of the request and stay. */
export const openaiError: Find = stringElse(restored, members({ message: restored }));

const completion: Find = members({
  // logprobs hold fragments of surrogates: they stay as they are, never restored piece by piece.
  choices: elements(members({ message, logprobs: untouched })),
  error: openaiError,
});

/** A plain answer: a completion or an error. */
export const openaiCompletion: Find = (found, node) => {
  const choices = memberOf(found.tree, node, 'choices');
  const error = memberOf(found.tree, node, 'error');
  const hasChoices = choices !== null && kindOf(found.tree, choices) === 'array';
  const hasError = error !== null && kindOf(found.tree, error) !== 'null';
  if (!hasChoices && !hasError) found.isUnknown = true;
  completion(found, node);
};

/** @returns what a completion or a chunk tells about the answer; the stop reason is the first choice's */
export function openaiMeta(tree: JsonTree): ResponseMeta {
  const id = plainId(memberString(tree, ROOT, 'id'));
  const model = plainId(memberString(tree, ROOT, 'model'));
  const usage = memberOf(tree, ROOT, 'usage');
  const stopReason = finishReason(tree);
  return {
    ...(id === null ? {} : { id }),
    ...(model === null ? {} : { model }),
    ...(stopReason === null ? {} : { stopReason }),
    ...(usage === null || kindOf(tree, usage) !== 'object'
      ? {}
      : { usage: usageOf(tree, usage, ['prompt_tokens', 'completion_tokens']) }),
  };
}

function finishReason(tree: JsonTree): string | null {
  const choices = memberOf(tree, ROOT, 'choices');
  let reason: string | null = null;
  if (choices !== null) {
    eachElement(tree, choices, (choice) => {
      reason ??= plainId(memberString(tree, choice, 'finish_reason'));
    });
  }
  return reason;
}
