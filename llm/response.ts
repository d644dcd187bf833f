import type { RestoreForm } from '#contract/text-site.ts';
import type { CitedDocument } from './request.ts';

/** A place in an answer where surrogates become originals. */
export interface RestoreSite {
  readonly text: string;
  readonly form: RestoreForm;
}

/** What the provider says about an answer. Ids and model names only in a harmless shape (T16). */
export interface ResponseMeta {
  readonly id?: string;
  readonly model?: string;
  readonly stopReason?: string;
  readonly usage?: Usage;
}

/** Tokens as the provider counts them. */
export interface Usage {
  readonly input?: number;
  readonly output?: number;
}

/** A plain answer, read completely. */
export interface ParsedResponse {
  readonly sites: readonly RestoreSite[];
  /** Thinking text: it stays as it is, surrogates and all, so that its signature holds when it comes back (T23). */
  readonly locked: readonly string[];
  readonly meta: ResponseMeta;
  /**
   * The body with each site's text replaced; every other byte stays.
   * @param texts one for each site
   * @throws RangeError when the number of texts is not the number of sites
   */
  rewrite(texts: readonly string[]): Uint8Array;
}

/** What reading a response body gave. */
export type ResponseParse =
  | { readonly kind: 'parsed'; readonly response: ParsedResponse }
  | { readonly kind: 'refused'; readonly reason: 'response_unreadable' };

/** What restoring an answer needs to know of its request. */
export interface ResponseOptions {
  /** `ParsedRequest.documents(texts)`: character offsets of citations are moved with it, or become null without it. */
  readonly documents?: readonly (CitedDocument | null)[];
}
