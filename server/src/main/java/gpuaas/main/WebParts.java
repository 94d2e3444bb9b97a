package gpuaas.main;

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
import java.time.InstantSource;
import java.util.UUID;
import java.util.function.BiConsumer;

/** What of leases is reached in a browser, made in one place. */
record WebParts(Webs webs, WebReconciler reconciler) {

  static WebParts open(
      Settings settings,
      Database database,
      SecretBox secrets,
      Leases leases,
      Providers providers,
      InstantSource clock,
      BiConsumer<UUID, Integer> closed,
      BiConsumer<String, UUID> wake) {
    Webs webs = new Webs(database, secrets, clock, settings.web().rules(), closed, wake);
    return new WebParts(
        webs,
        new WebReconciler(
            database,
            webs,
            leases,
            providers,
            hostName ->
                ProxyAddresses.basePath(
                    settings.web().proxy().domain(), hostName, Web.JUPYTER_PORT),
            clock,
            settings.web().rules()));
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
