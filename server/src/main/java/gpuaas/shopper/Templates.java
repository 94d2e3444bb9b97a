package gpuaas.shopper;

import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import gpuaas.provider.Providers;
import gpuaas.spi.Offer;
import gpuaas.spi.market.HasTemplates;
import gpuaas.spi.market.HasTemplates.Template;
import java.math.BigDecimal;
import java.util.List;
import java.util.Optional;

/** The templates of the markets that have any. */
final class Templates {

  private static final ObjectMapper JSON = new ObjectMapper();
  private static final BigDecimal STEP = new BigDecimal("0.1");
  private static final int MIB_PER_GIB = 1024;

  private final Providers providers;

  Templates(Providers providers) {
    this.providers = providers;
  }

  /** The request cannot be served, as no market of ours has templates. */
  static final class None extends RuntimeException {
    None() {
      super("template provider not available: provider not found: vastai");
    }
  }

  boolean has(String provider) {
    return providers.ability(provider, HasTemplates.class).isPresent();
  }

  private Optional<String> provider() {
    return providers.names().stream().filter(this::has).findFirst();
  }

  /**
   * All that are recommended.
   *
   * @throws None when no provider has templates
   */
  List<Template> all() {
    String provider = provider().orElseThrow(None::new);
    return providers.ability(provider, HasTemplates.class).orElseThrow().templates();
  }

  /** One by its hash. */
  Optional<Template> find(String hash) {
    return all().stream().filter(template -> template.hash().equals(hash)).findFirst();
  }

  /** Those that the machine of an offer can begin from. */
  List<Template> matching(Offer offer) {
    return providers
        .ability(offer.provider(), HasTemplates.class)
        .map(able -> able.templatesFor(offer.id()))
        .orElse(List.of());
  }

  /**
   * What a template needs of a machine, as far as lists can be filtered by it.
   *
   * @param memoryGb of all its GPUs
   */
  record Needs(String provider, Optional<BigDecimal> cuda, int memoryGb) {}

  /** What the template of this hash needs; empty when there is no such template. */
  Optional<Needs> needs(String hash) {
    String provider = provider().orElseThrow(None::new);
    return find(hash).map(template -> needs(provider, template.needs()));
  }

  /** What is not understood is not asked for. */
  static Needs needs(String provider, String filters) {
    JsonNode all;
    try {
      all = JSON.readTree(filters.isBlank() ? "{}" : filters);
    } catch (JsonProcessingException e) {
      return new Needs(provider, Optional.empty(), 0);
    }
    JsonNode cuda = all.path("cuda_max_good");
    JsonNode memory = all.path("gpu_total_ram");
    Optional<BigDecimal> cudaLeast =
        number(cuda.path("gte")).or(() -> number(cuda.path("gt")).map(STEP::add));
    int memoryGb =
        number(memory.path("gte"))
            .map(Templates::gigabytes)
            .or(() -> number(memory.path("gt")).map(mib -> gigabytes(mib) + 1))
            .orElse(0);
    return new Needs(provider, cudaLeast, memoryGb);
  }

  private static Optional<BigDecimal> number(JsonNode node) {
    if (node.isNumber()) {
      return Optional.of(node.decimalValue());
    }
    return node.isTextual() && node.asText().matches("[0-9]{1,9}(\\.[0-9]{1,3})?")
        ? Optional.of(new BigDecimal(node.asText()))
        : Optional.empty();
  }

  private static int gigabytes(BigDecimal mib) {
    return Math.ceilDiv(mib.intValue(), MIB_PER_GIB);
  }
}
