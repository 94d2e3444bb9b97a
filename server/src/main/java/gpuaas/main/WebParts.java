package gpuaas.main;

import gpuaas.base.Later;
import gpuaas.base.SecretBox;
import gpuaas.db.Database;
import gpuaas.gateway.Activity;
import gpuaas.http.FailedTries;
import gpuaas.lease.Leases;
import gpuaas.provider.Providers;
import gpuaas.proxy.LeaseWebDoors;
import gpuaas.proxy.ProxyAddresses;
import gpuaas.proxy.ProxyServer;
import gpuaas.web.Web;
import gpuaas.web.WebReconciler;
import gpuaas.web.Webs;
import gpuaas.work.WorkLoop;
import java.time.InstantSource;

/** What of leases is reached in a browser, made in one place. */
record WebParts(Webs webs, WebReconciler reconciler) {

  /** What they are made of. */
  record Needs(
      Settings settings,
      Database database,
      SecretBox secrets,
      Leases leases,
      Providers providers,
      InstantSource clock) {}

  static WebParts open(Needs needs, Later<ProxyServer> proxy, Later<WorkLoop> loop) {
    ProxyReader.Web settings = needs.settings().web();
    Webs webs =
        new Webs(
            needs.database(),
            needs.secrets(),
            needs.clock(),
            settings.rules(),
            (id, port) -> proxy.get().end(id, port),
            (kind, id) -> loop.get().wake(kind, id));
    return new WebParts(
        webs,
        new WebReconciler(
            needs.database(),
            webs,
            needs.leases(),
            needs.providers(),
            hostName ->
                ProxyAddresses.basePath(settings.proxy().domain(), hostName, Web.JUPYTER_PORT),
            needs.clock(),
            settings.rules()));
  }

  /** Opens the proxy; from here on browsers get through. */
  ProxyServer listen(
      Settings settings,
      Leases leases,
      Providers providers,
      FailedTries failedTries,
      Activity activity) {
    return new ProxyServer(
        settings.web().proxy(),
        new LeaseWebDoors(webs, leases, providers),
        failedTries,
        activity::touch);
  }
}
