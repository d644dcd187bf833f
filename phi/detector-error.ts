/** A recognizer failed or exceeded its bound. Carries no text of the input; the caller refuses with `detector_failed`. */
export class DetectorError extends Error {
  override readonly name = 'DetectorError';
  readonly stage: string;
  /** @param stage a name from our own code, never input */
  constructor(stage: string) {
    super(`the PHI detector failed in ${stage}`);
    this.stage = stage;
  }
}

/** More than one request may hold (`LIMIT.identifiers`, `LIMIT.segments`); found while there is still memory to refuse. */
export class TooManyFindings extends DetectorError {
  constructor() {
    super('bounds');
  }
}
