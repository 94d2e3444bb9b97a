package gpuaas.spi;

/** What can go wrong between us and a provider, or at one. */
public enum ProviderFault {
  /** The next create is carried out, and its answer never arrives. */
  LOST_REPLY,
  /** Nothing listens where the provider was. */
  UNREACHABLE,
  /** It answers, and says only that it has failed. */
  BROKEN,
  /** Its answers end in the middle. */
  TRUNCATED,
  /** What is made from now on shows in the list some time later. */
  LATE_LISTING,
  /** Between being offered and being taken everything became dearer. */
  PRICE_RISES,
  /** Between being offered and being taken everything went to others. */
  OFFER_VANISHES,
  /** The account may have no more, or has no money left. */
  QUOTA_USED_UP,
  /** Too many calls. */
  TOO_MANY_CALLS,
  /** It does not know our credentials any more. */
  BAD_CREDENTIALS,
  /** It takes back, or loses, every instance that there is. */
  INSTANCES_LOST
}
