import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * The program's log: one JSON object a line. Callers pass words of closed vocabularies, numbers and names of cluster
 * objects; the content of an object has no way here.
 * @param level pino level or `silent`
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { program: 'lazaret-controller' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    serializers: { err: describeFault },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** What of a thrown value may be printed: its class and its code, never its message, which may quote an object. */
function describeFault(fault: unknown): { readonly fault: string; readonly code?: string } {
  if (!(fault instanceof Error)) return { fault: typeof fault };
  const code: unknown = 'code' in fault ? fault.code : undefined;
  return { fault: fault.name, ...(typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? { code } : {}) };
}
