package gpuaas.market.sim;

/** How one market speaks. */
public interface SimApi {

  /** What its paths begin with, such as {@code /api/v0}. */
  String base();

  /** One word for what is asked, such as {@code create}; faults are ordered by it. */
  String operation(SimCall call);

  /** Carries a call out. */
  SimAnswer answer(SimCall call);

  /** How it says no to a key that it does not know. */
  SimAnswer unknownKey();

  /** How it says that there were too many calls. */
  SimAnswer tooMany();

  /** How it says that the account may have no more. */
  SimAnswer quotaUsedUp();
}
