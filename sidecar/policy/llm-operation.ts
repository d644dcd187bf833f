/**
 * Paths that only model APIs use, whatever host serves them: models inside the cluster have names that no register knows.
 * The families are those of the provider SDKs; a prefix before the path (a gateway's mount point) does not hide one.
 */
const OPERATION_PATHS: readonly RegExp[] = [
  // OpenAI and everything that speaks its shape (vLLM, TGI, llama.cpp, LiteLLM, Ollama).
  /\/chat\/completions$/i,
  /\/v\d+(?:beta\d*)?\/(?:completions|responses|embeddings|rerank|fim\/completions|edits)$/i,
  /\/v\d+\/(?:audio\/(?:transcriptions|translations|speech)|images\/(?:generations|edits|variations)|realtime)$/i,
  /\/openai\/deployments\/[^/]+\/[a-z/]+$/i,
  // Anthropic Messages.
  /\/v\d+\/(?:messages|messages\/batches|messages\/count_tokens|complete)$/i,
  // Gemini and Vertex.
  /:(?:generateContent|streamGenerateContent|countTokens|embedContent|batchEmbedContents|rawPredict|streamRawPredict)$/i,
  // Bedrock and SageMaker.
  /^\/model\/[^/]+\/(?:invoke|invoke-with-response-stream|converse|converse-stream)$/i,
  /^\/endpoints\/[^/]+\/(?:invocations|invocations-response-stream)$/i,
  // Cohere v2, Ollama, Hugging Face TGI, Triton, watsonx, Databricks, Snowflake Cortex.
  /\/v2\/(?:chat|embed|rerank)$/i,
  /^\/api\/(?:chat|generate|embed|embeddings)$/i,
  /^\/(?:generate|generate_stream|completion)$/i,
  /\/v2\/models\/[^/]+(?:\/versions\/[^/]+)?\/(?:generate|generate_stream|infer)$/i,
  /\/ml\/v1\/text\/[a-z_]+$/i,
  /\/serving-endpoints\/[^/]+\/invocations$/i,
  /\/api\/v2\/cortex\//i,
];

/**
 * Whether a clear HTTP request is an LLM operation by its path. Repeated slashes, dot segments and percent-encoded letters are
 * resolved first, because servers do that too.
 * @param method any but those that carry no prompt count (a WebSocket to a model begins with GET on `/realtime`)
 * @param path origin form, with or without query
 */
export function isLlmOperation(method: string, path: string): boolean {
  const clean = cleanPath(path);
  if (/^(?:GET|HEAD|OPTIONS)$/i.test(method)) return /\/v\d+\/realtime$/i.test(clean);
  return OPERATION_PATHS.some((shape) => shape.test(clean));
}

function cleanPath(path: string): string {
  const clean = decodeLetters(path.replace(/[?#].*$/s, ''))
    .replace(/;[^/]*/g, '')
    .replaceAll('\\', '/');
  const kept: string[] = [];
  for (const segment of clean.split('/')) {
    if (segment === '..') kept.pop();
    else if (segment !== '' && segment !== '.') kept.push(segment);
  }
  return `/${kept.join('/')}`;
}

/** Behind a proxy that decodes stands a server that decodes again. */
const DECODINGS = 3;

function decodeLetters(path: string): string {
  let text = path;
  for (let round = 0; round < DECODINGS && text.includes('%'); round += 1) {
    text = text.replace(/%([0-7][0-9a-f])/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
  }
  return text;
}
