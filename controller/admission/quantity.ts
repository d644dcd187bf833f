const SUFFIX: Readonly<Record<string, number>> = {
  '': 1,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
};
const QUANTITY = /^(\d{1,12}(?:\.\d{1,6})?)(m|k|M|G|T|Ki|Mi|Gi|Ti|)$/;

/**
 * Reads a Kubernetes quantity, without signs and exponents, which nobody writes for a sidecar.
 * @returns the number that it stands for (cores or bytes), or null
 */
export function parseQuantity(text: string): number | null {
  const match = QUANTITY.exec(text);
  const factor = SUFFIX[match?.[2] ?? ''];
  return match?.[1] === undefined || factor === undefined ? null : Number(match[1]) * factor;
}

/** Cores in the form that the API server would give them, or a comparison with the stored pod would see a change. */
export function formatCpu(cores: number): string {
  const milli = Math.ceil(cores * 1_000);
  return milli % 1_000 === 0 ? String(milli / 1_000) : `${milli}m`;
}

/** Bytes in the form that the API server would give them: the largest binary suffix that leaves a whole number. */
export function formatMemory(bytes: number): string {
  let value = Math.ceil(bytes);
  let suffix = '';
  for (const next of ['Ki', 'Mi', 'Gi', 'Ti']) {
    if (value === 0 || value % 1_024 !== 0) break;
    value /= 1_024;
    suffix = next;
  }
  return `${value}${suffix}`;
}
