package gpuaas.policy;

import gpuaas.policy.PolicyValue.Scope;
import java.util.Arrays;
import java.util.Optional;

/** Every policy there is: what it means, and what it can be set to. */
public enum PolicyDefinition {
  REQUESTS_PER_MINUTE(
      "rate_limit.requests_per_minute",
      "Calls of a user or an API key in a project, in a minute",
      Scope.PROJECT,
      600_000,
      100_000_000),
  MUTATIONS_PER_MINUTE(
      "rate_limit.mutations_per_minute",
      "Those of them that change something",
      Scope.PROJECT,
      600_000,
      100_000_000),
  TENANT_REQUESTS_PER_MINUTE(
      "rate_limit.tenant_requests_per_minute",
      "Calls of all of a tenant together, in a minute",
      Scope.TENANT,
      6_000_000,
      1_000_000_000),
  TERMINAL_TOKEN_REQUESTS_PER_MINUTE(
      "rate_limit.terminal_token_requests_per_minute",
      "Terminal tokens that a user asks for, in a minute",
      Scope.PROJECT,
      10,
      1_000_000);

  private static final long LOWEST = 1;

  private final String key;
  private final String meaning;
  private final Scope narrowest;
  private final long standard;
  private final long highest;

  PolicyDefinition(String key, String meaning, Scope narrowest, long standard, long highest) {
    this.key = key;
    this.meaning = meaning;
    this.narrowest = narrowest;
    this.standard = standard;
    this.highest = highest;
  }

  /** The one of this key. */
  public static Optional<PolicyDefinition> of(String key) {
    return Arrays.stream(values()).filter(each -> each.key.equals(key)).findFirst();
  }

  /** Its name everywhere outside: {@code rate_limit.requests_per_minute}. */
  public String key() {
    return key;
  }

  /** In words, what is counted. */
  public String meaning() {
    return meaning;
  }

  /** What its values are in. */
  public String unit() {
    return "requests_per_minute";
  }

  /** The narrowest scope that it can be set for. */
  public Scope narrowest() {
    return narrowest;
  }

  /** What it is when nobody set anything, unless the settings say otherwise. */
  public long standard() {
    return standard;
  }

  /** No value is below. */
  public long lowest() {
    return LOWEST;
  }

  /** No value is above. */
  public long highest() {
    return highest;
  }
}
