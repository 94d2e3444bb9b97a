package gpuaas.http;

import gpuaas.base.Refusal;
import gpuaas.base.Refused;
import gpuaas.base.SecretBox;
import java.util.List;

/**
 * Places in lists, as text that only we can make or read: encrypted and authenticated, and bound to
 * the list, its filters and whose it is.
 */
public final class Cursors {

  private static final int LENGTH_MOST = 2000;
  private static final String BETWEEN = "\n";

  private final SecretBox secrets;

  public Cursors(SecretBox secrets) {
    this.secrets = secrets;
  }

  /** A place as text. */
  public String seal(List<String> place, String context) {
    return secrets
        .seal(String.join(BETWEEN, place), purpose(context))
        .replace('+', '-')
        .replace('/', '_')
        .replace("=", "");
  }

  /** The place again; refused when we did not make it, or made it for another list. */
  public List<String> open(String text, String context) {
    try {
      if (text.length() <= LENGTH_MOST && text.indexOf('.') > 0) {
        String sealed = text.replace('-', '+').replace('_', '/');
        return List.of(secrets.unseal(sealed, purpose(context)).split(BETWEEN, -1));
      }
    } catch (IllegalArgumentException | IllegalStateException e) {
      // refused below
    }
    throw new Refused(
        Refusal.Invalid.field("cursor", "is not one that this list gave out for these filters"));
  }

  private static String purpose(String context) {
    return "cursor " + context;
  }
}
