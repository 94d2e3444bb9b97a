package gpuaas.gpuaas;

import gpuaas.base.Refusal;
import gpuaas.base.Refusal.Kind;
import gpuaas.base.Refused;
import gpuaas.gpuaas.wire.GpuaasErrors;
import gpuaas.http.FailedTries;
import gpuaas.http.Fields;
import gpuaas.http.RateLimits;
import gpuaas.http.Reply;
import gpuaas.http.Request;
import gpuaas.http.Route;
import gpuaas.identity.Identities;
import gpuaas.identity.Person;
import gpuaas.idp.LogInRules;
import gpuaas.idp.LogIns;
import gpuaas.session.PasswordDoor;
import gpuaas.session.Session.Way;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/** Names and passwords without a browser, where the settings allow it. */
final class PersonalRoutes {

  private static final int PASSWORD_LENGTH_MOST = 1000;
  private static final String NAME = "[a-z0-9][a-z0-9._@-]{2,126}";

  private final Identities identities;
  private final PasswordDoor door;
  private final LogIns logIns;
  private final LogInRules rules;
  private final FailedTries failedTries;
  private final RateLimits tries;

  PersonalRoutes(GpuaasDialect.Membership membership) {
    this.identities = membership.admittance().identities();
    this.door = membership.admittance().door();
    this.logIns = membership.admittance().logIns();
    this.rules = membership.admittance().rules();
    this.failedTries = membership.failedTries();
    this.tries = RateLimits.perMinute(rules.personalPerMinute());
  }

  List<Route> routes() {
    return List.of(
        AuthRoutes.open("/api/v1/auth/personal/sign-in", request -> ifOn(request, this::signIn)),
        AuthRoutes.open("/api/v1/auth/personal/sign-up", request -> ifOn(request, this::signUp)));
  }

  /** What waits for its turn to look at a password. */
  private interface Patient {
    Reply answer(Request request) throws InterruptedException;
  }

  private Reply ifOn(Request request, Patient work) {
    if (!rules.personal()) {
      return GpuaasErrors.personalDisabled(request.correlationId());
    }
    failedTries.admit(request.remoteAddress());
    tries.take(request.remoteAddress());
    try {
      return work.answer(request);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new Refused(new Refusal.NotReady("this server", Duration.ofSeconds(5)));
    }
  }

  private Reply signIn(Request request) throws InterruptedException {
    Fields fields = request.fields();
    String name = fields.text("username", 255);
    String password = fields.text("password", PASSWORD_LENGTH_MOST);
    fields.check();
    return switch (door.check(name, password)) {
      case PasswordDoor.Outcome.In(Person person) ->
          AuthRoutes.GrantView.reply(
              200, logIns.begin(person, Way.PASSWORD, AuthRoutes.visitor(request)));
      case PasswordDoor.Outcome.Wrong() -> {
        failedTries.failed(request.remoteAddress());
        boolean elsewhere = rules.issuer().isPresent() && identities.logsInElsewhere(name);
        yield elsewhere
            ? GpuaasErrors.enterpriseRequired(request.correlationId())
            : GpuaasErrors.wrongPassword(request.correlationId());
      }
      case PasswordDoor.Outcome.Locked(Duration left) ->
          throw new Refused(new Refusal.RateLimited(rules.tries().failuresMost(), left));
    };
  }

  private Reply signUp(Request request) throws InterruptedException {
    Fields fields = request.fields();
    String name = username(fields);
    String password = newPassword(fields, name, rules.passwordLengthLeast());
    fields.check();
    Optional<Person> person = identities.signUp(name, password);
    return AuthRoutes.GrantView.reply(
        201,
        logIns.begin(
            person.orElseThrow(() ->
                new Refused(new Refusal.Exists(Kind.PERSON, "This name is taken; choose another"))),
            Way.PASSWORD,
            AuthRoutes.visitor(request)));
  }

  /** A name for somebody new. */
  static String username(Fields fields) {
    String name = fields.text("username", 127);
    return name.isEmpty() || name.matches(NAME)
        ? name
        : fields.problem(
            "username", "must have 3 to 127 small letters, digits or any of . _ @ -", "");
  }

  /** A password for somebody new, of this name. */
  static String newPassword(Fields fields, String name, int lengthLeast) {
    String password = fields.text("password", PASSWORD_LENGTH_MOST);
    if (!password.isEmpty() && password.length() < lengthLeast) {
      return fields.problem("password", "must have at least " + lengthLeast + " characters", "");
    }
    return name.isEmpty() || !password.toLowerCase(Locale.ROOT).contains(name)
        ? password
        : fields.problem("password", "must not have the name in it", "");
  }
}
