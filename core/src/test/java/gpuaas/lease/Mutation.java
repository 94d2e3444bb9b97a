package gpuaas.lease;

/** Faults planted on purpose: a simulation that does not find them proves nothing. */
enum Mutation {
  NONE,
  /** Results are written whatever happened meanwhile. */
  NO_VERSION_GUARD,
  /** Whoever finds an intent asks the provider again. */
  ASK_TWICE,
  /** Whoever finds an intent gives it up without looking for the tag. */
  NO_TAG_SEARCH,
  /** Time in Stopping is charged too. */
  CHARGE_IN_STOPPING,
  /** The sweeper destroys what is old, whosever it is, and nothing else. */
  SWEEP_BY_AGE,
  /** A lease is accepted without setting anything aside. */
  SKIP_HOLD,
  /** Use is paid for twice. */
  POST_TWICE,
  /** Leases on demand are taken back like spot leases. */
  RECLAIM_FIRM,
  /** The oldest spot leases are taken back first. */
  RECLAIM_OLDEST,
  /** Whoever is taken back is stopped at once, and told nothing. */
  RECLAIM_UNTOLD,
  /** Whoever is taken back has no time left. */
  RECLAIM_WITHOUT_GRACE,
  /** Room is made for a lease that has moved on meanwhile. */
  RECLAIM_FOR_NOBODY
}
