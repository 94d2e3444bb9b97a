package gpuaas.gpudev.login;

import gpuaas.gpudev.login.LogInAnswer.Denied;
import gpuaas.gpudev.login.LogInAnswer.Visitor;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** Who is let in of those whom AWS knows, and what the others are told. */
final class AwsRules {

  private static final Pattern ARN =
      Pattern.compile("arn:[a-z-]{1,20}:(iam|sts):[a-z0-9-]{0,40}:([0-9]{12}):([!-~]{1,1600})");
  private static final Pattern CODE = Pattern.compile("[A-Za-z0-9.]{1,100}");

  private final Set<String> roles;
  private final Set<String> accounts;

  AwsRules(LogInSettings.Aws settings) {
    this.roles = settings.allowedRoles();
    this.accounts = settings.allowedAccounts();
  }

  /** Whoever has this name at AWS. */
  LogInAnswer visitor(String arn) {
    Matcher parts = ARN.matcher(arn);
    if (!parts.matches()) {
      return unverified();
    }
    Optional<String> role = role(parts.group(1), parts.group(3));
    if (role.filter(roles::contains).isEmpty()) {
      return new Denied(
          403,
          "Access denied. Required role: %s, got: %s"
              .formatted(String.join(", ", new TreeSet<>(roles)), role.orElse("none")));
    }
    String account = parts.group(2);
    if (!accounts.isEmpty() && !accounts.contains(account)) {
      return new Denied(403, "Access denied. The AWS account " + account + " is not allowed");
    }
    return Usernames.clean(arn.substring(arn.lastIndexOf('/') + 1))
        .<LogInAnswer>map(username -> new Visitor(username, Optional.of(arn)))
        .orElseGet(AwsRules::unverified);
  }

  /** The whole name counts, not a part of it: others may make roles with similar ones. */
  private static Optional<String> role(String service, String resource) {
    String[] path = resource.split("/", -1);
    if (service.equals("sts") && path[0].equals("assumed-role") && path.length == 3) {
      return Optional.of(path[1]);
    }
    if (service.equals("iam") && path[0].equals("role") && path.length >= 2) {
      return Optional.of(path[path.length - 1]);
    }
    return Optional.empty();
  }

  /** What STS said no with. */
  static Denied denied(String code) {
    return switch (code) {
      case "InvalidClientTokenId" -> invalid();
      case "SignatureDoesNotMatch" -> new Denied(401, "AWS signature verification failed");
      default ->
          CODE.matcher(code).matches()
              ? new Denied(401, "AWS authentication failed: " + code)
              : unverified();
    };
  }

  static Denied invalid() {
    return new Denied(401, "Invalid AWS credentials");
  }

  /** STS could not be reached, or its answer not be understood. */
  static Denied unverified() {
    return new Denied(500, "Failed to verify AWS credentials");
  }
}
