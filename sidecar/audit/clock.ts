import type { RecordTime } from '#contract/record-build.ts';

/** The two clocks a record names. Monotonic time orders and measures; wall time is what a reader understands. */
export interface AuditClock {
  /** Nanoseconds since 1970. */
  wall(): bigint;
  /** Nanoseconds since an arbitrary moment; never goes back. */
  mono(): bigint;
}

/** The machine's clocks. */
export const systemClock: AuditClock = {
  wall: () => BigInt(Date.now()) * 1_000_000n,
  mono: () => process.hrtime.bigint(),
};

/** @returns both clocks now, as a record writes them. */
export function recordTime(clock: AuditClock): RecordTime {
  return { wall_ns: clock.wall().toString(), mono_ns: clock.mono().toString() };
}
