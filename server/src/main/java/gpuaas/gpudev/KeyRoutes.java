package gpuaas.gpudev;

import gpuaas.base.Action;
import gpuaas.base.Caller;
import gpuaas.db.Database;
import gpuaas.gpudev.GpudevDialect.GpudevSettings;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.ApiKeys;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import java.time.Instant;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Keys that open this API for a while. */
final class KeyRoutes {

  private final GpudevSettings settings;
  private final Database database;
  private final Identities identities;
  private final ApiKeys apiKeys;

  KeyRoutes(GpudevDialect.Parts parts) {
    this.settings = parts.settings();
    this.database = parts.database();
    this.identities = parts.identities();
    this.apiKeys = parts.apiKeys();
  }

  List<Route> routes() {
    return List.of(
        new Route(
                "POST",
                "/v1/keys/rotate",
                Route.Access.CALLER,
                new Route.Handler.Plain(this::rotate))
            .needing(Action.LEASE_READ));
  }

  /** A fresh key that allows what the old one does; the old one goes on to its own end. */
  private Reply rotate(Request request) {
    Caller caller = request.caller();
    Person person = identities.find(caller.user()).orElseThrow();
    ApiKeys.Issued issued =
        database.tx(tx ->
            apiKeys.issue(
                tx,
                person,
                "Manually rotated key",
                apiKeys.scopes(tx, caller),
                settings.keyLifetime(),
                request.correlationId()));
    return GpudevJson.reply(200, issued(person, issued));
  }

  private Map<String, Object> issued(Person person, ApiKeys.Issued issued) {
    Map<String, Object> body = new LinkedHashMap<>();
    body.put("api_key", issued.secret());
    body.put("key_prefix", issued.key().prefix());
    body.put("user_id", identities.number(person.id()));
    body.put("username", person.username());
    body.put(
        "expires_at",
        issued.key().expiresAt().map((Instant end) -> GpudevJson.time(end)).orElseThrow());
    return body;
  }
}
