import type { ExchangeId, Host } from '#contract/brand.ts';
import type { Entity } from '#contract/entity.ts';
import type { PolicyMode } from '#contract/record.ts';
import type { Reason } from '#contract/reason.ts';
import type { Listed } from '#phi/listed.ts';
import type { PolicyInForce } from '../policy/decide-exchange.ts';
import type { BodyBudget } from './body-budget.ts';
import type { Evidence } from './evidence.ts';
import type { Forward } from './ports.ts';
import type { ThinkingMemory } from './thinking-memory.ts';

/** What is said of an exchange when it is over: the one log line and the metrics are made of this and nothing else. */
export interface ExchangeReport {
  readonly exchange: ExchangeId;
  readonly connection: number;
  /** A name of the register or of an agreement; `unknown` otherwise. */
  readonly provider: string;
  readonly host: Host;
  readonly dialect: string;
  readonly mode: PolicyMode;
  readonly reason: Reason | null;
  /** Monitor: what enforce would have answered. */
  readonly would: Reason | null;
  readonly agreement: string | null;
  /** `not_sent` when no byte left the pod. */
  readonly outcome: string;
  readonly status: number | null;
  readonly stream: boolean;
  readonly counts: Readonly<Partial<Record<Entity, number>>>;
  readonly restored: number;
  readonly droppedFields: number;
  readonly bytes: { readonly received: number; readonly sent: number };
  /** Milliseconds. */
  readonly durations: Readonly<Record<'total' | 'read' | 'redact' | 'record' | 'provider' | 'restore', number>>;
}

/** The world as an exchange sees it. */
export interface ExchangePorts {
  /** Wall clock in milliseconds: dates of agreements. */
  readonly now: () => number;
  /** Monotonic clock in milliseconds: durations. */
  readonly mono: () => number;
  readonly mintId: () => ExchangeId;
  /** The policy and its serial as they are at this moment. */
  readonly policy: () => PolicyInForce & { readonly serial: string };
  /** A provider's answer named an account that is not covered: its key is refused from now on. */
  readonly barKey: (fingerprint: string) => void;
  readonly evidence: Evidence;
  readonly forward: Forward;
  readonly bodies: BodyBudget;
  readonly thinking: ThinkingMemory;
  /** The deployer's own names and numbers. @throws DetectorError while they cannot be used */
  readonly names: () => Listed | undefined;
  /** The workload as the platform names it: namespace/service-account/pod. */
  readonly workload: string;
  readonly report: (report: ExchangeReport) => void;
  /** Tells how many characters open streams hold back; `delta` may be negative. */
  readonly holdback: (delta: number) => void;
  /** A fault of our own: its class and code are logged, never its message. */
  readonly fault: (fault: unknown, exchange: ExchangeId) => void;
}
