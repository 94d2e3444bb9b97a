package gpuaas.idp;

import gpuaas.identity.GroupRoles;
import java.time.Duration;
import java.util.Optional;

/**
 * Another provider that lets people in.
 *
 * @param issuer its address, as its tokens name it
 * @param audience that its tokens must be for; empty: for our client, or got by it
 * @param groupsClaim which claim of its tokens lists groups
 * @param callLimit for each question
 * @param documentsLast how long its document and its keys are used before they are asked for again
 * @param outageLast how much longer they are used while it cannot be reached
 * @param refreshPause how often at most its keys are asked for because one is not known
 */
public record IssuerSettings(
    String issuer,
    String clientId,
    String clientSecret,
    Optional<String> audience,
    String groupsClaim,
    GroupRoles groupRoles,
    Duration callLimit,
    Duration documentsLast,
    Duration outageLast,
    Duration refreshPause) {
  @Override
  public String toString() {
    return "IssuerSettings[" + issuer + "]"; // never the secret
  }
}
