/** A JSON object as it was parsed: fields that nobody here knows stay in it. */
export type JsonObject = { readonly [field: string]: unknown };

/** A field that Kubernetes may leave out or write as null; both mean the same. */
export type Maybe<T> = T | null | undefined;

export function isJsonObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** @returns a field that the object itself has; what it inherits does not count */
export function ownField(object: JsonObject, field: string): unknown {
  return Object.hasOwn(object, field) ? object[field] : undefined;
}

/**
 * Whether two JSON values are the same. Stops at the first difference, so the known one bounds what is looked at.
 * @param known a value of ours
 */
export function isSameJson(value: unknown, known: unknown): boolean {
  if (value === known) return true;
  if (Array.isArray(known)) {
    return (
      Array.isArray(value) && value.length === known.length && known.every((item, i) => isSameJson(value[i], item))
    );
  }
  if (!isJsonObject(known) || !isJsonObject(value)) return false;
  const fields = Object.keys(known);
  return (
    Object.keys(value).length === fields.length &&
    fields.every((field) => Object.hasOwn(value, field) && isSameJson(value[field], known[field]))
  );
}

/** @returns the object with a field set, or the same object when nothing changes */
export function withField<T extends JsonObject>(object: T, field: string, value: unknown): T {
  return ownField(object, field) === value ? object : { ...object, [field]: value };
}

/** @returns the list, or the same list as before when no item changed */
export function keepList<T>(before: readonly T[], after: readonly T[]): readonly T[] {
  return before.length === after.length && before.every((item, i) => item === after[i]) ? before : after;
}
