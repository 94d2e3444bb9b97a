package gpuaas.idp;

import gpuaas.http.Request;
import gpuaas.session.LogInCodes;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * What a client asks of the log-in page, as RFC 6749 and OpenID Connect say, with PKCE by S256.
 *
 * @param state given back as it came
 * @param silent nobody may be asked anything
 */
record AuthorizeRequest(
    String clientId,
    String redirectUri,
    Optional<String> state,
    String challenge,
    Optional<String> nonce,
    String scope,
    Optional<String> loginHint,
    boolean silent) {

  private static final int TEXT_LENGTH_MOST = 1024;

  /** What a request is found to be. */
  sealed interface Outcome {
    /** It can be answered. */
    record Good(AuthorizeRequest request) implements Outcome {}

    /** It is wrong, and we know whom to tell. */
    record Back(String redirectUri, Optional<String> state, String error, String description)
        implements Outcome {}

    /** Nobody knows whose it is: only the person in front of it can be told. */
    record Page(String problem) implements Outcome {}
  }

  static Outcome read(Request request, String client, RedirectUris redirectUris) {
    Map<String, List<String>> query = request.query();
    String clientId = request.query("client_id").orElse("");
    String redirectUri = request.query("redirect_uri").orElse("");
    if (isDoubled(query, "client_id") || !clientId.equals(client)) {
      return new Outcome.Page("The program that sent you here is not known here.");
    }
    if (isDoubled(query, "redirect_uri") || !redirectUris.allows(redirectUri)) {
      return new Outcome.Page(
          "The program that sent you here wants you sent to an address that is not allowed. If you"
              + " run this server, name that address in the setting idp.redirect-uris.");
    }
    Optional<String> state = request.query("state");
    if (state.filter(text -> text.length() > TEXT_LENGTH_MOST).isPresent()) {
      return new Outcome.Back(
          redirectUri, Optional.empty(), "invalid_request", "state is too long");
    }
    return problem(request, query)
        .<Outcome>map(no -> new Outcome.Back(redirectUri, state, no.error(), no.description()))
        .orElseGet(() ->
            new Outcome.Good(
                new AuthorizeRequest(
                    clientId,
                    redirectUri,
                    state,
                    request.query("code_challenge").orElse(""),
                    request.query("nonce"),
                    request.query("scope").orElse("openid"),
                    request.query("login_hint"),
                    request.query("prompt").filter("none"::equals).isPresent())));
  }

  private record Problem(String error, String description) {}

  private static Optional<Problem> problem(Request request, Map<String, List<String>> query) {
    if (query.values().stream().anyMatch(values -> values.size() > 1)) {
      return Optional.of(new Problem("invalid_request", "a parameter is there twice"));
    }
    if (query.values().stream()
        .flatMap(List::stream)
        .anyMatch(value ->
            value.length() > 2 * TEXT_LENGTH_MOST || value.chars().anyMatch(c -> c < ' '))) {
      return Optional.of(new Problem("invalid_request", "a parameter is too long or no text"));
    }
    if (!request.query("response_type").orElse("").equals("code")) {
      return Optional.of(new Problem("unsupported_response_type", "response_type must be code"));
    }
    if (!request.query("response_mode").orElse("query").equals("query")) {
      return Optional.of(new Problem("invalid_request", "response_mode must be query"));
    }
    if (!request.query("code_challenge_method").orElse("").equals("S256")
        || !LogInCodes.CHALLENGE.matcher(request.query("code_challenge").orElse("")).matches()) {
      return Optional.of(
          new Problem(
              "invalid_request",
              "code_challenge_method must be S256, and code_challenge 43 characters of base64url"));
    }
    return Optional.empty();
  }

  private static boolean isDoubled(Map<String, List<String>> query, String name) {
    return query.getOrDefault(name, List.of()).size() > 1;
  }
}
