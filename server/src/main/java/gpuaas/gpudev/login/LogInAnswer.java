package gpuaas.gpudev.login;

import java.util.Optional;

/** Who it is, or why not. */
public sealed interface LogInAnswer {

  /**
   * Somebody proved who they are.
   *
   * @param username letters, digits, dots, underscores and hyphens, 1 to 255 of them
   * @param arn the name at AWS; none when AWS was not asked
   */
  record Visitor(String username, Optional<String> arn) implements LogInAnswer {}

  /**
   * Nobody is let in.
   *
   * @param status for HTTP; 401 and 403 are the visitor's fault, 500 and 503 are not
   * @param detail the text of the contract; holds no secret
   */
  record Denied(int status, String detail) implements LogInAnswer {}
}
