package gpuaas.idp;

import static java.nio.charset.StandardCharsets.UTF_8;

import gpuaas.base.Secrets;
import gpuaas.http.Reply;
import java.util.Base64;
import java.util.Optional;

/** The page on which people log in: one file, no script, nothing from anywhere else. */
final class LogInPage {

  private static final String STYLE =
      """
      :root{color-scheme:light dark;--page:#eef1f5;--card:#fff;--ink:#16202c;--dim:#5a6675;--line:#c6cfd9;--field:#fff;
      --brand:#0b6b4f;--press:#095640;--on:#fff;--bad:#a3161f;--badpage:#fdeced}
      @media(prefers-color-scheme:dark){:root{--page:#0f151c;--card:#18212b;--ink:#e8edf3;--dim:#9aa7b6;--line:#3a4756;
      --field:#101820;--brand:#3ecf9a;--press:#66deb3;--on:#06251a;--bad:#ff9aa0;--badpage:#3a1a1e}}
      *{box-sizing:border-box}
      body{margin:0;min-height:100vh;display:flex;flex-direction:column;align-items:center;justify-content:center;
      padding:24px 16px;background:var(--page);color:var(--ink);font:16px/1.5 system-ui,-apple-system,"Segoe UI",Roboto,
      "Liberation Sans",sans-serif}
      main{width:100%;max-width:400px;background:var(--card);border:1px solid var(--line);border-radius:14px;
      padding:32px 28px;box-shadow:0 12px 32px rgba(10,20,30,.09)}
      .brand{display:flex;align-items:center;gap:10px;margin:0 0 24px;font-weight:650;letter-spacing:.01em}
      .brand svg{width:30px;height:30px;fill:none;stroke:var(--brand);stroke-width:2}
      h1{margin:0 0 4px;font-size:24px;line-height:1.25}
      p{margin:0 0 20px;color:var(--dim)}
      label{display:block;margin:0 0 6px;font-weight:600}
      input{width:100%;margin:0 0 18px;padding:12px 13px;font:inherit;color:inherit;background:var(--field);
      border:1px solid var(--line);border-radius:9px}
      button{width:100%;margin:6px 0 0;padding:13px;font:inherit;font-weight:650;color:var(--on);background:var(--brand);
      border:0;border-radius:9px;cursor:pointer}
      button:hover{background:var(--press)}
      input:focus-visible,button:focus-visible{outline:3px solid var(--brand);outline-offset:2px}
      .bad{margin:0 0 20px;padding:12px 14px;color:var(--bad);background:var(--badpage);border-radius:9px;
      border-left:4px solid var(--bad)}
      footer{max-width:400px;margin:18px 0 0;color:var(--dim);font-size:13px;text-align:center;overflow-wrap:anywhere}
      @media(max-width:420px){main{padding:26px 20px}}
      """;

  private static final String HEAD =
      """
      <!doctype html>
      <html lang="en">
      <head>
      <meta charset="utf-8">
      <meta name="viewport" content="width=device-width, initial-scale=1">
      <meta name="robots" content="noindex">
      <title>%s · GPUaaS</title>
      <style>%s</style>
      </head>
      <body>
      <main>
      <div class="brand"><svg viewBox="0 0 24 24" aria-hidden="true"><rect x="5" y="5" width="14" height="14" rx="3"/>\
      <rect x="9.5" y="9.5" width="5" height="5" rx="1"/><path d="M9 2v3M15 2v3M9 19v3M15 19v3M2 9h3M2 15h3M19 9h3M19 15h3"/>\
      </svg>GPUaaS</div>
      """;

  private static final String STYLE_HASH =
      "'sha256-" + Base64.getEncoder().encodeToString(Secrets.hash(STYLE)) + "'";

  private LogInPage() {}

  /**
   * The form.
   *
   * @param action where it is sent: a path of ours with the query that came
   * @param token shows that the form was ours
   * @param username as far as it is known
   * @param goal whose log-in it is, for the line below
   */
  static Reply form(
      int status, String action, String token, String username, String goal, Optional<String> bad) {
    boolean known = !username.isEmpty();
    String page =
        HEAD.formatted("Log in", STYLE)
            + "<h1>Log in</h1>\n<p>with your name and password</p>\n"
            + bad.map(text -> "<div class=\"bad\" role=\"alert\">" + escaped(text) + "</div>\n")
                .orElse("")
            + """
            <form method="post" action="%s">
            <input type="hidden" name="token" value="%s">
            <label for="username">Name</label>
            <input id="username" name="username" value="%s" autocomplete="username" autocapitalize="none" \
            spellcheck="false" maxlength="255" required%s>
            <label for="password">Password</label>
            <input id="password" name="password" type="password" autocomplete="current-password" maxlength="1000" required%s>
            <button type="submit">Log in</button>
            </form>
            </main>
            <footer>You are then sent back to %s</footer>
            </body>
            </html>
            """
                .formatted(
                    escaped(action),
                    escaped(token),
                    escaped(username),
                    known ? "" : " autofocus",
                    known ? " autofocus" : "",
                    escaped(goal));
    return page(status, page);
  }

  /** Something to read, and nothing to do. */
  static Reply words(int status, String title, String text) {
    return page(
        status,
        HEAD.formatted(escaped(title), STYLE)
            + "<h1>"
            + escaped(title)
            + "</h1>\n<p>"
            + escaped(text)
            + "</p>\n</main>\n</body>\n</html>\n");
  }

  private static Reply page(int status, String html) {
    return guarded(Reply.text(status, "text/html; charset=utf-8", html), "");
  }

  /**
   * The same, which no other site may frame, script, keep or learn from.
   *
   * @param formTarget where a form may lead beside here: browsers look at redirects, too
   */
  static Reply guarded(Reply reply, String formTarget) {
    return reply
        .with(
            "Content-Security-Policy",
            "default-src 'none'; style-src "
                + STYLE_HASH
                + "; form-action 'self'"
                + (formTarget.isEmpty() ? "" : " " + formTarget)
                + "; frame-ancestors 'none'; base-uri 'none'")
        .with("X-Frame-Options", "DENY")
        .with("X-Content-Type-Options", "nosniff")
        .with("Referrer-Policy", "no-referrer")
        .with("Cross-Origin-Opener-Policy", "same-origin")
        .with("Cache-Control", "no-store");
  }

  static String escaped(String text) {
    return text.replace("&", "&amp;")
        .replace("<", "&lt;")
        .replace(">", "&gt;")
        .replace("\"", "&quot;")
        .replace("'", "&#39;");
  }

  /** A random word, as a form shows that it knows it. */
  static String tokenOf(String cookie) {
    return Base64.getUrlEncoder()
        .withoutPadding()
        .encodeToString(Secrets.hash("log-in form " + cookie));
  }

  static boolean isSame(String one, String other) {
    return java.security.MessageDigest.isEqual(one.getBytes(UTF_8), other.getBytes(UTF_8));
  }
}
