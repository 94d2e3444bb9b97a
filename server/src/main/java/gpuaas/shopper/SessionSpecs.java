package gpuaas.shopper;

import gpuaas.capacity.Catalog.Listed;
import gpuaas.catalog.OfferKey;
import gpuaas.catalog.Want;
import gpuaas.lease.LeaseSpec;
import gpuaas.lease.LeaseSpec.Guards;
import gpuaas.spi.InstanceRequest.Launch;
import gpuaas.spi.market.HasTemplates.Template;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/** A session in the words of leases. */
final class SessionSpecs {

  // What is written on a lease, to be shown again.
  static final String WORKLOAD = "workload_type";
  static final String HOURS = "reservation_hours";
  static final String STORAGE = "storage_policy";
  static final String MODE = "launch_mode";
  static final String MODEL = "model_id";
  static final String TEMPLATE = "template_hash_id";
  static final String TEMPLATE_NAME = "template_name";
  static final String PORT = "api_port";
  static final String RETRIES_LEFT = "retries_left";
  static final String RETRY_SCOPE = "retry_scope";
  static final String RETRY_COUNT = "retry_count";
  static final String FAILED_OFFERS = "failed_offers";
  static final String OFFER = "offer_id";

  static final String PRESERVE = "preserve";

  private static final int IDLE_CPU_PERCENT = 5;
  private static final int VLLM_PORT = 8000;
  private static final int TGI_PORT = 80;
  private static final Duration SLOW_IMAGE = Duration.ofMinutes(15);
  private static final Duration MEDIUM_IMAGE = Duration.ofMinutes(12);

  private SessionSpecs() {}

  /**
   * What was tried before, in place of which this is.
   *
   * @param parent the session that failed
   * @param failedOffers ids with commas between
   */
  record Retry(String parent, int count, String failedOffers) {
    static final Retry NONE = new Retry("", 0, "");
  }

  /**
   * @param key the public half of the session's own key
   * @param diskGb 0: as the provider does it
   */
  static LeaseSpec of(
      SessionRequest asked,
      Listed offer,
      Optional<Template> template,
      int diskGb,
      String key,
      Duration patience,
      Retry retry) {
    String image = asked.entrypoint() ? image(asked) : "";
    Guards guards =
        new Guards(
            Optional.empty(),
            asked.idleThresholdMinutes() == 0
                ? Optional.empty()
                : Optional.of(
                    new Guards.Idle(
                        Duration.ofMinutes(asked.idleThresholdMinutes()), IDLE_CPU_PERCENT)));
    String imageOfAll = template.map(Template::image).orElse(image);
    return new LeaseSpec(
        want(offer),
        image,
        List.of(),
        List.of(key),
        environment(asked),
        launch(asked, template, diskGb),
        Optional.of(Duration.ofHours(asked.reservationHours())),
        true,
        bootLimit(asked, imageOfAll),
        LeaseSpec.WhenFull.FAIL,
        patience,
        guards,
        Optional.empty(),
        keep(asked),
        notes(asked, offer, template, retry),
        Optional.of(onlyOne(asked.consumerId(), offer.id())));
  }

  /** No two active sessions of a consumer are for the same offer. */
  static String onlyOne(String consumer, String offerId) {
    return "session of " + consumer + " for " + offerId;
  }

  /**
   * False when what its user asked for on top may be why it failed: that must not take the offer
   * from others.
   */
  static boolean isPlain(LeaseSpec spec) {
    return spec.image().isEmpty()
        && spec.bootLimit().isEmpty()
        && spec.environment().isEmpty()
        && spec.launch().equals(Launch.PLAIN);
  }

  /** What is preserved is the consumer's; an image without a log-in has no home folder. */
  private static Optional<String> keep(SessionRequest asked) {
    return asked.preserve() && !asked.entrypoint()
        ? Optional.of(asked.consumerId())
        : Optional.empty();
  }

  /** This very offer and no other. */
  private static Want want(Listed offer) {
    return new Want(
        "",
        offer.offer().gpu().model(),
        offer.gpuCount(),
        Optional.of(offer.offer().region()),
        offer.offer().tier(),
        Optional.of(OfferKey.of(offer.offer())));
  }

  private static Launch launch(SessionRequest asked, Optional<Template> template, int diskGb) {
    return new Launch(
        asked.entrypoint() ? Launch.Mode.IMAGE : Launch.Mode.SHELL,
        diskGb,
        asked.entrypoint() ? ports(asked) : List.of(),
        asked.entrypoint() && asked.onStartCommand().isEmpty()
            ? arguments(asked)
            : asked.onStartCommand(),
        template.map(Template::hash).orElse(""));
  }

  private static String image(SessionRequest asked) {
    if (!asked.dockerImage().isEmpty()) {
      return asked.dockerImage();
    }
    return switch (asked.workloadType()) {
      case "llm_tgi" -> "ghcr.io/huggingface/text-generation-inference:latest";
      case "llm_vllm", "llm" -> "vllm/vllm-openai:latest";
      default -> "";
    };
  }

  /** What vLLM's image must be told; that of TGI reads its environment. */
  private static String arguments(SessionRequest asked) {
    boolean vllm = asked.workloadType().equals("llm_vllm") || asked.workloadType().equals("llm");
    if (!vllm || !asked.dockerImage().isEmpty() || asked.modelId().isEmpty()) {
      return "";
    }
    String quantization =
        asked.quantization().isEmpty() ? "" : " --quantization " + asked.quantization();
    return "--model " + asked.modelId() + " --gpu-memory-utilization 0.90" + quantization;
  }

  /** The first of them is where its health is asked for. */
  private static List<Integer> ports(SessionRequest asked) {
    if (!asked.exposedPorts().isEmpty()) {
      return asked.exposedPorts();
    }
    return List.of(asked.workloadType().equals("llm_tgi") ? TGI_PORT : VLLM_PORT);
  }

  private static Map<String, String> environment(SessionRequest asked) {
    Map<String, String> environment = new HashMap<>();
    if (!asked.entrypoint() || asked.modelId().isEmpty()) {
      return environment;
    }
    if (asked.workloadType().equals("llm_tgi")) {
      environment.put("MODEL_ID", asked.modelId());
      if (!asked.quantization().isEmpty()) {
        environment.put("QUANTIZE", asked.quantization());
      }
    } else if (asked.workloadType().startsWith("llm")) {
      environment.put("VLLM_MODEL", asked.modelId());
      String quantization =
          asked.quantization().isEmpty() ? "" : " --quantization " + asked.quantization();
      environment.put("VLLM_ARGS", "--gpu-memory-utilization 0.90" + quantization);
    }
    return environment;
  }

  private static Optional<Duration> bootLimit(SessionRequest asked, String image) {
    if (asked.sshTimeoutMinutes() > 0) {
      return Optional.of(Duration.ofMinutes(asked.sshTimeoutMinutes()));
    }
    String name = image.toLowerCase(Locale.ROOT);
    if (List.of("vllm", "nemo", "megatron").stream().anyMatch(name::contains)) {
      return Optional.of(SLOW_IMAGE);
    }
    boolean medium =
        List.of("tgi", "text-generation", "tensorrt", "deepspeed", "triton", "ollama").stream()
            .anyMatch(name::contains);
    return medium ? Optional.of(MEDIUM_IMAGE) : Optional.empty();
  }

  private static Map<String, String> notes(
      SessionRequest asked, Listed offer, Optional<Template> template, Retry retry) {
    Map<String, String> notes = new HashMap<>();
    notes.put(LeaseSpec.CONSUMER, asked.consumerId());
    notes.put(OFFER, offer.id());
    notes.put(WORKLOAD, asked.workloadType());
    notes.put(STORAGE, keep(asked).isPresent() ? PRESERVE : "destroy");
    notes.put(MODE, asked.entrypoint() ? "entrypoint" : "ssh");
    if (asked.entrypoint()) {
      notes.put(PORT, Integer.toString(ports(asked).getFirst()));
    }
    if (!asked.modelId().isEmpty()) {
      notes.put(MODEL, asked.modelId());
    }
    template.ifPresent(from -> {
      notes.put(TEMPLATE, from.hash());
      notes.put(TEMPLATE_NAME, from.name());
    });
    if (asked.retriesMost() > 0) {
      notes.put(RETRIES_LEFT, Integer.toString(asked.retriesMost() - retry.count()));
      notes.put(RETRY_SCOPE, asked.retryScope().text());
    }
    if (!retry.parent().isEmpty()) {
      notes.put(LeaseSpec.PARENT, retry.parent());
      notes.put(RETRY_COUNT, Integer.toString(retry.count()));
      notes.put(FAILED_OFFERS, retry.failedOffers());
    }
    return notes;
  }

  /** The same in place of a session that failed, on another offer; opened by the same key. */
  static LeaseSpec again(LeaseSpec failed, Listed offer, Retry retry, Duration left) {
    Map<String, String> notes = new HashMap<>(failed.notes());
    String consumer = notes.getOrDefault(LeaseSpec.CONSUMER, "");
    int retriesLeft = Integer.parseInt(notes.getOrDefault(RETRIES_LEFT, "0")) - 1;
    notes.put(OFFER, offer.id());
    notes.put(RETRIES_LEFT, Integer.toString(Math.max(0, retriesLeft)));
    notes.put(LeaseSpec.PARENT, retry.parent());
    notes.put(RETRY_COUNT, Integer.toString(retry.count()));
    notes.put(FAILED_OFFERS, retry.failedOffers());
    return new LeaseSpec(
        want(offer),
        failed.image(),
        failed.sshKeys(),
        failed.ownKeys(),
        failed.environment(),
        failed.launch(),
        Optional.of(left),
        true,
        failed.bootLimit(),
        failed.whenFull(),
        failed.patience(),
        failed.guards(),
        failed.disk(),
        failed.keep(),
        notes,
        Optional.of(onlyOne(consumer, offer.id())));
  }
}
