package gpuaas.vastai;

import gpuaas.market.MachineShell;
import gpuaas.market.MarketProvider;
import gpuaas.spi.OfferQuery;
import gpuaas.spi.market.HasCharges;
import gpuaas.spi.market.HasTemplates;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;

/** Vast.ai as a provider: a market that has templates, and tells what it has charged. */
final class VastaiProvider extends MarketProvider implements HasTemplates, HasCharges {

  private final VastaiTemplates templates;
  private final VastaiCharges charges;

  VastaiProvider(
      String name,
      VastaiClient client,
      MachineShell shell,
      InstantSource clock,
      Rules rules,
      VastaiTemplates templates,
      VastaiCharges charges) {
    super(name, client, shell, clock, rules);
    this.templates = templates;
    this.charges = charges;
  }

  @Override
  public List<Template> templates() {
    return templates.all();
  }

  @Override
  public List<Template> templatesFor(String offer) {
    if (!templates.knows(offer)) {
      var _ = offers(OfferQuery.all()); // after a start nobody may have looked yet
    }
    return templates.forOffer(offer);
  }

  @Override
  public List<Charge> charges(Instant from, Instant until) {
    return charges.between(from, until);
  }
}
