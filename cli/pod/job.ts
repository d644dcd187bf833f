import type { PodOptions } from './options.ts';

/** What the process inside the pod's namespaces is told, with absolute paths. */
export interface PodJob {
  readonly options: PodOptions;
  /** The checkout's root. */
  readonly root: string;
  /** A directory of this run alone, removed at its end. */
  readonly dir: string;
  /** The caller's folder and environment. */
  readonly folder: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly terminal: boolean;
}

/** To the process inside. */
export type Order =
  | { readonly kind: 'start'; readonly job: PodJob }
  | { readonly kind: 'stop'; readonly signal: NodeJS.Signals };

/** From the process inside; `relay` comes with the listener of the outer network. */
export type Report =
  | { readonly kind: 'hello' }
  | { readonly kind: 'relay' }
  | { readonly kind: 'ended'; readonly code: number }
  | { readonly kind: 'failed'; readonly sentence: string };

/** The pod could not be started: one sentence that says what to do. */
export class PodError extends Error {
  override readonly name = 'PodError';
}
