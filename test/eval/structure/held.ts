/** A value that a specification says identifies somebody, as the document holds it. */
export interface Held {
  readonly kind: 'name' | 'facility' | 'address' | 'telecom' | 'id' | 'birth' | 'date';
  /** Where it stands: `Patient.name.family`, `PID-5.1`, `patientRole/addr/city`. */
  readonly where: string;
  readonly value: string;
  /** Which of the document's texts it is. */
  readonly at: number;
}

/** What a document holds, read by a parser of its own and not by the engine. */
export interface Contents {
  readonly held: readonly Held[];
  /** Codes, results, units, roots: path and value. They must read the same afterwards. */
  readonly kept: readonly (readonly [path: string, value: string])[];
  /** Elements, members and fields in order, without their values: the same before and after. */
  readonly shape: string;
  /** All text that a reader gets out of it: decoded strings, attribute values, fields. */
  readonly texts: readonly string[];
}
