package gpuaas.shopper;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.spi.ProviderException;
import gpuaas.spi.market.HasTemplates.Template;
import java.time.Instant;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.function.Function;

/** The templates that sessions can begin from. */
final class TemplateRoutes {

  private static final String PATH = "/api/v1/templates";

  private final Templates templates;

  TemplateRoutes(Templates templates) {
    this.templates = templates;
  }

  List<Route> routes() {
    return List.of(
        Route.get(PATH, request -> answered(request, "failed to list templates", this::list))
            .needing(Action.CATALOG_READ),
        Route.get(
                PATH + "/{hash_id}",
                request -> answered(request, "failed to get template", this::get))
            .needing(Action.CATALOG_READ));
  }

  /** A template in a list of those that suit. */
  record Brief(
      String hashId, String name, @JsonInclude(JsonInclude.Include.NON_EMPTY) String image) {
    static Brief of(Template template) {
      return new Brief(template.hash(), template.name(), template.image());
    }
  }

  @JsonInclude(JsonInclude.Include.NON_EMPTY)
  private record View(
      @JsonInclude long id,
      @JsonInclude String hashId,
      @JsonInclude String name,
      @JsonInclude String image,
      String tag,
      String env,
      String onstart,
      String runtype,
      String argsStr,
      @JsonInclude boolean useSsh,
      @JsonInclude boolean sshDirect,
      @JsonInclude boolean recommended,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) int recommendedDiskSpace,
      String extraFilters,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long creatorId,
      @JsonInclude String createdAt,
      @JsonInclude(JsonInclude.Include.NON_DEFAULT) long countCreated) {

    static View of(Template t) {
      return new View(
          t.id(),
          t.hash(),
          t.name(),
          t.image(),
          t.tag(),
          t.environment(),
          t.startCommand(),
          t.mode(),
          t.arguments(),
          t.ssh(),
          t.sshDirect(),
          t.recommended(),
          t.diskGb(),
          t.needs(),
          t.maker(),
          t.madeAt().map((Instant at) -> ShopperJson.time(at)).orElse(ShopperJson.NO_TIME),
          t.used());
    }
  }

  private record Page(List<View> templates, int count) {}

  private Reply list(Request request) {
    Optional<Boolean> recommended = Queries.flag(request, "recommended");
    Optional<Boolean> ssh = Queries.flag(request, "use_ssh");
    List<View> found =
        templates.all().stream()
            .filter(template -> recommended.map(yes -> template.recommended() == yes).orElse(true))
            .filter(template -> ssh.map(yes -> template.ssh() == yes).orElse(true))
            .filter(template -> contains(template.name(), request, "name"))
            .filter(template -> contains(template.image(), request, "image"))
            .map(View::of)
            .toList();
    return ShopperJson.reply(200, new Page(found, found.size()));
  }

  private static boolean contains(String text, Request request, String parameter) {
    return Queries.text(request, parameter)
        .map(part -> text.toLowerCase(Locale.ROOT).contains(part.toLowerCase(Locale.ROOT)))
        .orElse(true);
  }

  private Reply get(Request request) {
    String hash = request.pathParameters().getOrDefault("hash_id", "");
    return templates
        .find(hash)
        .map(template -> ShopperJson.reply(200, View.of(template)))
        .orElseGet(() ->
            ShopperErrors.error(
                404, "template not found: " + ShopperErrors.quoted(hash), request.correlationId()));
  }

  private static Reply answered(Request request, String failing, Function<Request, Reply> work) {
    try {
      return work.apply(request);
    } catch (Templates.None none) {
      return ShopperErrors.error(500, String.valueOf(none.getMessage()), request.correlationId());
    } catch (ProviderException e) {
      return ShopperErrors.error(
          500, failing + ": the market cannot be asked now", request.correlationId());
    }
  }
}
