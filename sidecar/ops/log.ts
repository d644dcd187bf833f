import { type DestinationStream, type Logger, pino } from 'pino';

/**
 * The program's log: one JSON object a line on stdout. Callers pass only words from closed vocabularies, numbers
 * and ids that we minted; a text of a prompt, header, path or user has no way here but by breaking that rule.
 * @param level pino level or `silent`
 */
export function createLog(level: string, destination?: DestinationStream): Logger {
  const options = {
    level,
    base: { program: 'lazaret-sidecar' },
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // An error's message may quote what it choked on: only its class and code are printed.
    serializers: { err: describeFault },
  };
  return destination === undefined ? pino(options) : pino(options, destination);
}

/** What of a thrown value may be printed (the log does this by itself for `err`): its class and its code, never its message or stack. */
function describeFault(fault: unknown): { readonly fault: string; readonly code?: string } {
  if (!(fault instanceof Error)) return { fault: typeof fault };
  const code: unknown = 'code' in fault ? fault.code : undefined;
  return { fault: fault.name, ...(typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? { code } : {}) };
}
