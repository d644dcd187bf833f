/** Enumeration values of both dialects that pass unexamined. Whatever else stands in such a field is examined as text. */
const WORDS: ReadonlySet<string> = new Set(
  `user assistant system developer tool function text image document audio file url base64 content json json_object json_schema
  ephemeral 5m 1h 24h 30m in_memory explicit implicit auto any none required allowed_tools custom low medium high minimal xhigh max
  standard fast priority flex default scale batch standard_only enabled disabled adaptive between_tools summarized omitted updates
  error drop_block downsize full excluded direct all only except approximate tokens summarize create continue never
  next_user_message object string number integer boolean array null grammar lark regex score block
  code_execution_20250825 code_execution_20260120 code_execution_20260521 tool_reference ref coordinate tab_opened
  download_started download_completed download_failed char_location page_location content_block_location search_result_location
  web_search_result_location url_citation image/jpeg image/png image/gif image/webp application/pdf text/plain wav mp3 aac flac
  opus pcm16 alloy ash ballad coral echo sage shimmer verse marin cedar pdf max_uses_exceeded unavailable too_many_requests
  invalid_tool_input execution_time_exceeded output_file_too_large query_too_long request_too_large url_too_long url_not_allowed
  url_not_in_prior_context url_not_accessible unsupported_content_type content_too_large file_not_found prompt_too_long overloaded
  model_not_found end_turn max_tokens stop_sequence tool_use pause_turn refusal model_context_window_exceeded
  date date-time time duration email uri uuid hostname ipv4 ipv6 us eu global`.split(/\s+/),
);

const PROVIDER_ID =
  /^(?:toolu|srvtoolu|mcptoolu|msg|req|call|fc|chatcmpl|file|container)[_-](?=[A-Za-z]*\d)[A-Za-z0-9]{16,48}$/;
const UUID = /^[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$/i;

/** @returns whether a value is a known member of an enumeration */
export function isWord(value: string): boolean {
  return WORDS.has(value);
}

/** Whether an id has the random form of the providers' own ids, whose digits would only look like a person's number. */
export function isProviderId(value: string): boolean {
  return PROVIDER_ID.test(value) || UUID.test(value);
}

const MODEL = /^[A-Za-z0-9][A-Za-z0-9._:/@-]{0,127}$/;

/** Whether a value has the shape of a model's name; which names are allowed is policy's to say. */
export function isModelName(value: string): boolean {
  return MODEL.test(value);
}

const LOGGED_ID = /^[A-Za-z0-9_.:-]{1,128}$/;

/**
 * An id or model name of an answer as it may be recorded (T16: it comes from upstream and could echo text).
 * @returns null when it is no string of a harmless shape
 */
export function plainId(value: string | null): string | null {
  return value !== null && LOGGED_ID.test(value) ? value : null;
}
