import { z } from 'zod';
import { LIMIT } from '#contract/limit.ts';

const recipientSchema = z.looseObject({
  kty: z.literal('EC', 'must be an EC key'),
  crv: z.literal('P-256', 'must be on curve P-256'),
  x: z.string().length(43),
  y: z.string().length(43),
  kid: z.string().min(1).max(128),
});

/** A public key that content keys are wrapped to. */
export type Recipient = z.infer<typeof recipientSchema>;

const recipientsSchema = z.object({
  keys: z
    .array(z.unknown())
    .min(2, 'must hold an auditor and an escrow key, so that the loss of one key does not lose the records')
    .max(LIMIT.recipients),
});

/**
 * Reads the public audit keys (`recipients.public.jwks`).
 * @throws TypeError that names every fault and the remedy. A private key is refused: it would let this pod read its records.
 */
export function parseRecipients(text: string): readonly Recipient[] {
  const set = recipientsSchema.safeParse(parseJson(text));
  if (!set.success) throw fault(set.error.issues.map((issue) => issue.message));
  const faults: string[] = [];
  const recipients: Recipient[] = [];
  for (const [index, key] of set.data.keys.entries()) {
    if (typeof key === 'object' && key !== null && 'd' in key)
      faults.push(`key ${index} is a private key; give the pod public keys only`);
    const parsed = recipientSchema.safeParse(key);
    if (parsed.success) recipients.push(parsed.data);
    else faults.push(...parsed.error.issues.map((issue) => `key ${index} ${issue.path.join('.')}: ${issue.message}`));
  }
  if (new Set(recipients.map((key) => key.kid)).size !== recipients.length) faults.push('two keys have the same kid');
  if (new Set(recipients.map((key) => key.x)).size !== recipients.length)
    faults.push('the same key stands there twice');
  if (faults.length > 0) throw fault(faults);
  return recipients;
}

function fault(faults: readonly string[]): TypeError {
  return new TypeError(
    `the audit recipients are not usable: ${faults.join('; ')}. Make them with 'lazaret keys init'.`,
  );
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}
