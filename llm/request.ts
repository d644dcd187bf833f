import type { Refusal } from '#contract/reason.ts';
import type { TextSite } from '#contract/text-site.ts';

/** Header fields in order, duplicates kept. */
export type Fields = readonly (readonly [name: string, value: string])[];

/** A plain-text document before and after redaction. */
export interface CitedDocument {
  readonly original: string;
  readonly sent: string;
}

/** A request body of a dialect, read completely. */
export interface ParsedRequest {
  readonly model: string;
  readonly stream: boolean;
  /** The end user as the body names it (`metadata.user_id`, `safety_identifier`, `user`), as received; also a text site. */
  readonly user?: string;
  /** What of the provider's product the request uses, sorted: `beta:...`, `tool:...`, `body:...`, `media:...`; see features.ts. */
  readonly features: readonly string[];
  readonly sites: readonly TextSite[];
  /** Text that must be forwarded byte for byte (signed thinking, ids of unusual form) but has to be examined. */
  readonly locked: readonly string[];
  /** Ids in the random form of the providers' own: forwarded as they are, and compared with what was found elsewhere. */
  readonly ids: readonly string[];
  /** Names, enumerations, patterns of schemas and tools: an identifier in one refuses the exchange. Without duplicates. */
  readonly schemaTexts: readonly string[];
  /**
   * The plain-text documents of the request as the application wrote them and as the provider sees them, by the
   * ordinal that citations use (`document_index`); null for a document whose citations do not count characters.
   * @param texts as for {@link ParsedRequest.rewrite}
   */
  documents(texts: readonly string[]): readonly (CitedDocument | null)[];
  /**
   * The body with each site's text replaced by the text of the same index; equal texts leave their bytes untouched.
   * @param texts one for each site; for a `json` site JSON text
   * @throws RangeError when the number of texts is not the number of sites
   */
  rewrite(texts: readonly string[]): Uint8Array;
}

/** What reading a request body gave. */
export type RequestParse =
  | { readonly kind: 'parsed'; readonly request: ParsedRequest }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What policy lets through that cannot be examined. */
export interface RequestOptions {
  /** Images, documents and audio inside the body. References to stored files are refused in any case. */
  readonly allowMedia: boolean;
}
