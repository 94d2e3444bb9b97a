package gpuaas.gpuaas;

import gpuaas.http.Reply;
import gpuaas.idp.LogInProvider.Grant;

/** What a log-in gives, as clients see it. */
record GrantView(
    String accessToken,
    String refreshToken,
    String tokenType,
    long expiresIn,
    long exp,
    long refreshExpiresIn) {

  static Reply reply(int status, Grant grant) {
    GrantView view =
        new GrantView(
            grant.accessToken(),
            grant.refreshToken(),
            "Bearer",
            grant.expiresIn().toSeconds(),
            grant.expiresAt().getEpochSecond(),
            grant.refreshExpiresIn().toSeconds());
    return Reply.json(status, view).with("Cache-Control", "no-store");
  }
}
