package gpuaas.gpuaas;

import com.fasterxml.jackson.annotation.JsonInclude;
import gpuaas.base.Action;
import gpuaas.base.Page;
import gpuaas.base.Refusal.Unauthenticated;
import gpuaas.base.Refusal.Unauthenticated.Why;
import gpuaas.base.Refused;
import gpuaas.base.Role;
import gpuaas.db.Tx;
import gpuaas.http.FailedTries;
import gpuaas.http.Fields;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Scopes;
import gpuaas.identity.ServiceAccount;
import gpuaas.identity.ServiceAccounts;
import gpuaas.identity.ServiceAccounts.NewKey;
import gpuaas.identity.ServiceAccounts.Proof;
import gpuaas.identity.SigningAlgorithm;
import gpuaas.idp.Assertions;
import gpuaas.idp.Assertions.Proved;
import gpuaas.idp.Tokens;
import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Supplier;

/** Service accounts: make, look, list, rotate, revoke, delete; and the tokens that they get. */
final class ServiceAccountRoutes {

  private static final String PATH = ProjectRoutes.ONE + "/service-accounts";
  private static final String ONE = PATH + "/{sa_id}";
  private static final int SCOPES_MOST = 16;
  private static final int PEM_LENGTH_MOST = 16 * 1024;
  private static final Map<String, Role> ROLES =
      Map.of("viewer", Role.VIEWER, "member", Role.MEMBER, "admin", Role.ADMIN);

  private final ServiceAccounts accounts;
  private final Assertions assertions;
  private final Tokens tokens;
  private final FailedTries failedTries;
  private final Supplier<UUID> ids;
  private final InstantSource clock;

  ServiceAccountRoutes(GpuaasDialect.Membership membership, InstantSource clock) {
    this.accounts = membership.admittance().accounts();
    this.assertions = membership.admittance().assertions();
    this.tokens = membership.admittance().tokens();
    this.failedTries = membership.failedTries();
    this.ids = membership.ids();
    this.clock = clock;
  }

  List<Route> routes() {
    return List.of(
        new Route(
            "POST",
            "/api/v1/auth/sa/token",
            Route.Access.PUBLIC,
            new Route.Handler.Plain(this::token)),
        Route.get(PATH, this::list).needing(Action.SERVICE_ACCOUNT_READ),
        Route.once("POST", PATH, this::create).needing(Action.SERVICE_ACCOUNT_WRITE),
        Route.get(ONE, this::get).needing(Action.SERVICE_ACCOUNT_READ),
        Route.once("POST", ONE + "/rotate", this::rotate).needing(Action.SERVICE_ACCOUNT_WRITE),
        Route.once("DELETE", ONE + "/keys/{key_id}", this::revokeKey)
            .needing(Action.SERVICE_ACCOUNT_WRITE),
        Route.once("DELETE", ONE, this::delete).needing(Action.SERVICE_ACCOUNT_WRITE));
  }

  private record KeyView(
      String keyId,
      String algorithm,
      Instant createdAt,
      Optional<Instant> expiresAt,
      Optional<Instant> lastUsedAt,
      Optional<Instant> revokedAt) {
    static KeyView of(ServiceAccount.AccountKey key) {
      return new KeyView(
          key.keyId(),
          key.algorithm().map(SigningAlgorithm::headerName).orElse("client_secret"),
          key.madeAt(),
          key.expiresAt(),
          key.lastUsedAt(),
          key.revokedAt());
    }
  }

  @JsonInclude(JsonInclude.Include.NON_ABSENT)
  private record AccountView(
      String id,
      String saId,
      UUID principalId,
      UUID projectId,
      UUID tenantId,
      String name,
      String slug,
      String role,
      List<String> scopes,
      UUID createdBy,
      Instant createdAt,
      Optional<List<KeyView>> keys,
      Optional<String> keyId,
      Optional<String> privateKeyPem,
      Optional<String> clientSecret) {
    static AccountView of(ServiceAccount account, Optional<List<KeyView>> keys) {
      return of(account, keys, Optional.empty());
    }

    static AccountView of(
        ServiceAccount account,
        Optional<List<KeyView>> keys,
        Optional<ServiceAccounts.Issued> issued) {
      Optional<ServiceAccounts.Issued> shown = issued.filter(it -> it.secret().isPresent());
      return new AccountView(
          account.accountId(),
          account.accountId(),
          account.id(),
          account.project(),
          account.tenant(),
          account.name(),
          account.slug(),
          account.role().text(),
          account.scopes().words(),
          account.madeBy(),
          account.madeAt(),
          keys,
          issued.map(it -> it.key().keyId()),
          shown
              .filter(it -> it.key().algorithm().isPresent())
              .flatMap(ServiceAccounts.Issued::secret),
          shown
              .filter(it -> it.key().algorithm().isEmpty())
              .flatMap(ServiceAccounts.Issued::secret));
    }
  }

  private record AccountPage(List<AccountView> items, Optional<String> nextCursor) {}

  private Reply create(Request request, Tx tx) {
    Fields fields = request.fields();
    String name = fields.text("name", 200);
    Optional<String> slug = fields.maybeText("slug", 63);
    Role role = fields.isGiven("role") ? fields.word("role", ROLES) : Role.MEMBER;
    List<String> words = fields.optionalTexts("scopes", SCOPES_MOST, 64);
    Optional<Scopes> scopes =
        words.isEmpty() ? Optional.of(Scopes.FULL_ACCESS) : Scopes.parse(words);
    if (scopes.isEmpty()) {
      fields.problem("scopes", Scopes.FORM, "");
    }
    Optional<String> accountId = fields.maybeText("sa_id", 64);
    NewKey key = key(fields);
    fields.check();
    return made(
        accounts.create(
            tx, request.caller(), name, slug, role, scopes.orElseThrow(), accountId, key));
  }

  private static NewKey key(Fields fields) {
    return new NewKey(fields.maybeText("key_id", 64), proof(fields));
  }

  private static Proof proof(Fields fields) {
    Optional<String> publicKey = fields.maybeText("public_key", PEM_LENGTH_MOST);
    if (publicKey.isPresent()) {
      return new Proof.TheirOwn(publicKey.get());
    }
    Map<String, Proof> kinds =
        Map.of(
            "RS256", new Proof.MadeHere(SigningAlgorithm.RS256),
            "ES256", new Proof.MadeHere(SigningAlgorithm.ES256),
            "EdDSA", new Proof.MadeHere(SigningAlgorithm.EDDSA),
            "client_secret", new Proof.Secret());
    return fields.isGiven("algorithm")
        ? fields.word("algorithm", kinds)
        : new Proof.MadeHere(SigningAlgorithm.RS256);
  }

  private Reply rotate(Request request, Tx tx) {
    Fields fields = request.fieldsOrNone();
    NewKey key = key(fields);
    fields.check();
    return made(accounts.rotate(tx, request.caller(), accountId(request), key));
  }

  private static Reply made(ServiceAccounts.Issued issued) {
    return Reply.json(201, AccountView.of(issued.account(), Optional.empty(), Optional.of(issued)))
        .with("Cache-Control", "no-store");
  }

  private Reply get(Request request) {
    ServiceAccounts.Detail found = accounts.get(request.caller(), accountId(request));
    return Reply.json(
        200,
        AccountView.of(
            found.account(), Optional.of(found.keys().stream().map(KeyView::of).toList())));
  }

  private Reply list(Request request) {
    int limit = request.queryInteger("page_size", 50, 1, 200);
    Page<ServiceAccount> page =
        accounts.list(
            request.caller(), request.query("cursor").map(ServiceAccountRoutes::id), limit);
    return Reply.json(
        200,
        new AccountPage(
            page.items().stream()
                .map(account -> AccountView.of(account, Optional.empty()))
                .toList(),
            page.next()));
  }

  private Reply revokeKey(Request request, Tx tx) {
    accounts.revokeKey(
        tx,
        request.caller(),
        accountId(request),
        id(request.pathParameters().getOrDefault("key_id", "")));
    return Reply.empty(204);
  }

  private Reply delete(Request request, Tx tx) {
    accounts.delete(tx, request.caller(), accountId(request));
    return Reply.empty(204);
  }

  private static String accountId(Request request) {
    return id(request.pathParameters().getOrDefault("sa_id", ""));
  }

  /** PostgreSQL takes no NUL, and nobody has an id that long. */
  private static String id(String text) {
    return text.substring(0, Math.min(64, text.length())).replace('\0', ' ');
  }

  private record TokenView(String accessToken, String tokenType, long expiresIn, long exp) {}

  /** No word on what is wrong with an assertion: whoever guesses shall not learn. */
  private Reply token(Request request) {
    failedTries.admit(request.remoteAddress());
    Fields fields = request.fields();
    String account = fields.text("sa_id", 64);
    Optional<String> assertion = fields.maybeText("assertion", 8 * 1024);
    Optional<String> secret = fields.maybeText("client_secret", 512);
    Optional<String> keyId = fields.maybeText("key_id", 64);
    if (assertion.isEmpty() && (secret.isEmpty() || keyId.isEmpty())) {
      fields.problem("assertion", "is required, or key_id and client_secret", "");
    }
    fields.check();
    Optional<Proved> proved =
        assertion.isPresent()
            ? assertions.check(id(account), assertion.get())
            : assertions.checkSecret(id(account), id(keyId.orElseThrow()), secret.orElseThrow());
    if (proved.isEmpty()) {
      failedTries.failed(request.remoteAddress());
      throw new Refused(new Unauthenticated(Why.INVALID));
    }
    Instant now = clock.instant();
    String token =
        tokens.ofAccount(
            proved.get().account(),
            proved.get().keyId(),
            ids.get(),
            now,
            assertions.tokenLifetime());
    long seconds = assertions.tokenLifetime().toSeconds();
    return Reply.json(200, new TokenView(token, "Bearer", seconds, now.getEpochSecond() + seconds))
        .with("Cache-Control", "no-store");
  }
}
