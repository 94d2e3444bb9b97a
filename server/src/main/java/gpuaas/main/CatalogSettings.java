package gpuaas.main;

import gpuaas.capacity.CatalogRules;
import java.time.Duration;

/** The settings of the catalogue of offers. */
final class CatalogSettings {

  private CatalogSettings() {}

  /**
   * @param waitMost how long a provider may take to answer
   */
  static CatalogRules read(SettingsReader reader, Duration waitMost) {
    CatalogRules standard = CatalogRules.standard();
    CatalogRules.Confidence confidence = standard.confidence();
    CatalogRules rules =
        new CatalogRules(
            reader.duration("catalog.fresh-for", standard.freshFor()),
            percent(reader, "catalog.refresh-from-percent", standard.refreshFromPercent()),
            reader.duration("catalog.retry-after", standard.retryAfter()),
            waitMost,
            reader.duration("catalog.look-every", standard.lookEvery()),
            reader.duration("catalog.remembered-for", standard.rememberedFor()),
            reader.integer("catalog.remembered-most", standard.rememberedMost(), 0, 1_000_000),
            new CatalogRules.Confidence(
                reader.duration("offer.ages-from", confidence.agesFrom()),
                reader.duration("offer.ages-to", confidence.agesTo()),
                percent(reader, "offer.aged-percent", confidence.agedPercent()),
                reader.duration("offer.failure-window", confidence.failureWindow()),
                percent(reader, "offer.failure-percent", confidence.failurePercent()),
                reader.integer("offer.suppress-after", confidence.suppressAfter(), 1, 1000),
                reader.duration("offer.suppressed-for", confidence.suppressedFor()),
                reader.duration("offer.gpu-window", confidence.gpuWindow()),
                reader.integer("offer.gpu-failed-offers", confidence.gpuFailedOffers(), 1, 1000),
                percent(reader, "offer.gpu-percent", confidence.gpuPercent()),
                percent(reader, "offer.floor-percent", confidence.floorPercent()),
                reader.duration("offer.history-for", confidence.historyFor())));
    if (rules.confidence().agesTo().compareTo(rules.confidence().agesFrom()) <= 0) {
      throw new Settings.Wrong("offer.ages-to must be longer than offer.ages-from");
    }
    return rules;
  }

  private static int percent(SettingsReader reader, String name, int fallback) {
    return reader.integer(name, fallback, 0, 100);
  }
}
