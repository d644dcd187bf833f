/** What the health door of a program asks. */
export interface HealthSources {
  /** Metrics in Prometheus' text format. */
  readonly metrics: () => Promise<string>;
  readonly metricsType: string;
  /** Names of what keeps the program from its work; empty when it is ready. */
  readonly unready: () => readonly string[];
}

/** What the door answers. */
export interface HealthAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | number>>;
  readonly body: string;
}

/** Options of the server behind the door: whoever connects is given little time and room. */
export const HEALTH_BOUNDS = {
  keepAliveTimeout: 5_000,
  requestTimeout: 5_000,
  headersTimeout: 5_000,
  maxHeaderSize: 8_192,
} as const;

/**
 * Answers GET /metrics, /healthz and /readyz, and nothing else: the door is reachable from other pods, so it changes nothing and
 * tells nothing beyond numbers and closed words. Never throws.
 */
export async function answerHealth(
  { method, url }: { readonly method?: string | undefined; readonly url?: string | undefined },
  { metrics, metricsType, unready }: HealthSources,
): Promise<HealthAnswer> {
  if (method !== 'GET') return answer(405, 'only GET\n');
  if (url === '/healthz') return answer(200, 'ok\n');
  if (url === '/readyz') {
    const missing = unready();
    return missing.length === 0 ? answer(200, 'ok\n') : answer(503, `waiting for: ${missing.join(', ')}\n`);
  }
  if (url !== '/metrics') return answer(404, 'only /metrics, /healthz and /readyz\n');
  return metrics().then(
    (text) => answer(200, text, metricsType),
    () => answer(500, 'metrics failed\n'),
  );
}

function answer(status: number, body: string, type = 'text/plain'): HealthAnswer {
  const length = new TextEncoder().encode(body).length;
  return { status, body, headers: { 'content-type': type, 'cache-control': 'no-store', 'content-length': length } };
}
