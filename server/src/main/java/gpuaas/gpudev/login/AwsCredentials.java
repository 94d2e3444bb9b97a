package gpuaas.gpudev.login;

import java.util.Optional;
import java.util.regex.Pattern;

/**
 * What AWS lets somebody in with. Shows itself only masked.
 *
 * @param sessionToken of temporary credentials; a blank one is none, as scripts send it
 */
public record AwsCredentials(
    String accessKeyId, String secretAccessKey, Optional<String> sessionToken) {

  // What may stand in a header, and no more of it than AWS ever gave out.
  private static final Pattern ACCESS_KEY_ID = Pattern.compile("\\w{16,128}");
  private static final Pattern SECRET = Pattern.compile("[!-~]{1,1024}");
  private static final Pattern TOKEN = Pattern.compile("[!-~]{1,16384}");

  public AwsCredentials {
    sessionToken = sessionToken.filter(token -> !token.isBlank());
  }

  /** Could AWS have given these out? If not, nobody needs to be asked. */
  boolean isWellFormed() {
    return ACCESS_KEY_ID.matcher(accessKeyId).matches()
        && SECRET.matcher(secretAccessKey).matches()
        && sessionToken.map(token -> TOKEN.matcher(token).matches()).orElse(true);
  }

  /** Four letters, which tell the kind of key, and nothing else. */
  @Override
  public String toString() {
    String kind = accessKeyId.length() < 16 ? "" : accessKeyId.substring(0, 4);
    return "AwsCredentials[" + (kind.matches("[A-Z]{4}") ? kind : "") + "***]";
  }
}
