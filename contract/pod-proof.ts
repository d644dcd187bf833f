import { z } from 'zod';

/** A pod as the API server vouches for it: the bearer of one of its tokens. */
export interface PodProof {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly serviceAccount: string;
}

/** Extra fields of a token that is bound to a pod (Kubernetes: ServiceAccountTokenPodNodeInfo, `serviceaccount.UserInfo`). */
const EXTRA = {
  podName: 'authentication.kubernetes.io/pod-name',
  podUid: 'authentication.kubernetes.io/pod-uid',
} as const;

/** DNS-1123 subdomain (RFC 1123 §2.1): what a namespace, a pod and a service account may be called. */
const NAME = /^[a-z0-9]([-a-z0-9.]{0,251}[a-z0-9])?$/;
const ACCOUNT = /^system:serviceaccount:([^:/]+):([^:/]+)$/;

/** One value, and only one: a token that named two pods would name none. */
const single = z.tuple([z.string().min(1).max(253)]);
const statusSchema = z.looseObject({
  authenticated: z.literal(true),
  // A server that does not know audiences leaves them out: its yes would hold for a token made for anybody.
  audiences: z.array(z.string()),
  error: z.literal('').optional(),
  user: z.looseObject({ username: z.string(), extra: z.record(z.string(), z.unknown()).optional() }),
});

/**
 * Reads the `status` of a TokenReview (`authentication.k8s.io/v1`) as the proof of a pod.
 * @param status as the API server gave it; nothing in it is trusted to have a shape
 * @param audience the audience that the token must have been made for
 * @returns the pod, or null when the token is no good, was made for another audience, is no service account's, or is bound to no pod
 */
export function parsePodProof(status: unknown, audience: string): PodProof | null {
  const account = parseAccountProof(status, audience);
  const parsed = statusSchema.safeParse(status);
  if (account === null || !parsed.success) return null;
  const extra = parsed.data.user.extra ?? {};
  const name = single.safeParse(extra[EXTRA.podName]);
  const uid = single.safeParse(extra[EXTRA.podUid]);
  if (!name.success || !uid.success || !NAME.test(name.data[0])) return null;
  return { ...account, name: name.data[0], uid: uid.data[0] };
}

/**
 * Reads the `status` of a TokenReview as the proof of a service account, whether or not its token is bound to a pod.
 * @returns null for a token that is no good, was made for another audience, or is no service account's
 */
export function parseAccountProof(
  status: unknown,
  audience: string,
): { readonly namespace: string; readonly serviceAccount: string } | null {
  const parsed = statusSchema.safeParse(status);
  if (!parsed.success || !parsed.data.audiences.includes(audience)) return null;
  const [, namespace = '', serviceAccount = ''] = ACCOUNT.exec(parsed.data.user.username) ?? [];
  return NAME.test(namespace) && NAME.test(serviceAccount) ? { namespace, serviceAccount } : null;
}

/** A pod's name in the list of expected chains: `NAMESPACE/POD`. */
export function podNameOf(pod: { readonly namespace: string; readonly name: string }): string {
  return `${pod.namespace}/${pod.name}`;
}

/** The workload as records and enrolments name it: `NAMESPACE/SERVICE_ACCOUNT/POD`, each part proven by the pod's token. */
export function workloadOf(pod: Omit<PodProof, 'uid'>): string {
  return `${pod.namespace}/${pod.serviceAccount}/${pod.name}`;
}
