package gpuaas.catalog;

import gpuaas.spi.Offer;

/**
 * Names one offer among those of all providers.
 *
 * @param provider its name in this deployment
 * @param id the provider's id of the offer
 */
public record OfferKey(String provider, String id) {

  /** Of this offer. */
  public static OfferKey of(Offer offer) {
    return new OfferKey(offer.provider(), offer.id());
  }
}
