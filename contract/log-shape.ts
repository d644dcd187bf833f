/** How every program's log lines look, in the terms of its logger (pino): what makes the lines of three programs one log. */
export interface LogShape {
  readonly base: { readonly program: string };
  readonly formatters: { readonly level: (label: string) => object };
  readonly serializers: { readonly err: (fault: unknown) => object };
}

/**
 * The shape of a program's log: who speaks, the level as a word, and of a thrown value its class and code only. The logger itself
 * adds the time, in RFC 3339.
 * @param program as it stands in each line, such as `lazaret-sidecar`
 */
export function logShape(program: string): LogShape {
  return {
    base: { program },
    formatters: { level: (label) => ({ level: label }) },
    serializers: { err: describeFault },
  };
}

/** An error's message may quote what it choked on, a prompt or an object: its class and its code are told, never its message or stack. */
function describeFault(fault: unknown): { readonly fault: string; readonly code?: string } {
  if (!(fault instanceof Error)) return { fault: typeof fault };
  const code: unknown = 'code' in fault ? fault.code : undefined;
  return { fault: fault.name, ...(typeof code === 'string' && /^[A-Z0-9_]{1,64}$/.test(code) ? { code } : {}) };
}
