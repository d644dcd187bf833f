/**
 * A place in a request or response body that holds human text. Dialects name sites, the PHI engine examines them.
 * The order of sites is the order of the conversation: system, tools, then messages.
 */
export interface TextSite {
  /** The decoded text (JSON string escapes resolved), or for `json` the raw JSON text of a value. */
  readonly text: string;
  /** `text`: prose or anything a person may paste (HL7, XML and JSON inside are recognised). `json`: is itself JSON and must stay valid JSON. */
  readonly format: 'text' | 'json';
  /** Ordinal of the message the site belongs to; system and tools are 0. Later evidence never renumbers an earlier message. */
  readonly message: number;
  /** The name of the field that holds the text where it says something about it ("patient_name"). */
  readonly field?: string;
}

/** How a surrogate's original must be written where it is restored: as it is, or escaped for the inside of a JSON string. */
export type RestoreForm = 'text' | 'json';
