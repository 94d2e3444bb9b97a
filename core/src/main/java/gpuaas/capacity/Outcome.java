package gpuaas.capacity;

import gpuaas.catalog.OfferKey;
import java.time.Instant;
import java.util.Optional;

/**
 * What came of an offer that was taken.
 *
 * @param failure empty: it worked
 * @param reason for operators
 */
record Outcome(
    OfferKey offer,
    String gpuModel,
    Optional<Catalog.Failure> failure,
    String reason,
    Instant at) {}
