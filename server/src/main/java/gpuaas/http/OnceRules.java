package gpuaas.http;

import gpuaas.base.Refusal;
import java.util.regex.Pattern;

/** What an idempotency key means in a dialect. */
public interface OnceRules {

  /** Who shares keys, and for what: two requests of different scopes never meet. */
  String scope(Request request);

  /** What makes another request another. */
  String fingerprint(Request request);

  /** What a key looks like. */
  Pattern form();

  /** True for a no that is kept for the key as an answer would be; other noes free the key. */
  boolean remembers(Refusal refusal);

  /** Keys of a person in a project, for one method and path; a no frees the key. */
  record PerPath(String dialect) implements OnceRules {

    private static final Pattern FORM = Pattern.compile("[\\x21-\\x7e]{1,128}");

    @Override
    public String scope(Request request) {
      String principal =
          request
              .knownCaller()
              .map(caller -> caller.user() + " " + caller.project())
              .orElse("public");
      return dialect + " " + principal + " " + request.method() + " " + request.path();
    }

    @Override
    public String fingerprint(Request request) {
      return request.query() + "\n" + request.body();
    }

    @Override
    public Pattern form() {
      return FORM;
    }

    @Override
    public boolean remembers(Refusal refusal) {
      return false;
    }
  }
}
