package gpuaas.gpudev;

import gpuaas.base.Caller;
import gpuaas.db.Tx;
import gpuaas.gpudev.wire.GpudevErrors;
import gpuaas.http.Halt;
import gpuaas.lease.Lease;
import gpuaas.proxy.ProxyAddresses;
import gpuaas.web.Web;
import gpuaas.web.Web.Port;
import gpuaas.web.Webs;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/** What of jobs is reached in a browser, and how it looks on the wire. */
public record WebJobs(Webs webs, ProxyAddresses addresses) {

  /** What was asked for with the job itself. */
  void submitted(Tx tx, Caller caller, Lease lease, JobRequest asked) {
    if (asked.jupyter()) {
      webs.enableJupyter(tx, caller, lease);
    }
    for (int port : asked.ports()) {
      if (!webs.declare(tx, caller, lease, new Port(port, true))) {
        throw new Halt(
            GpudevErrors.error(400, "PORTS may be at most " + webs.portsMost() + " ports"));
      }
    }
  }

  Map<UUID, Web> of(List<UUID> leases) {
    return webs.of(leases).stream().collect(Collectors.toMap(Web::lease, Function.identity()));
  }

  /** The members of a job that are always there, then those that have a value. */
  void put(Map<String, Object> body, Optional<Web> web) {
    boolean on = web.map(Web::jupyter).filter(Web.Jupyter::isOn).isPresent();
    body.put("jupyter_enabled", web.map(Web::jupyter).filter(Web.Jupyter::wanted).isPresent());
    body.put("jupyter_url", on ? url(web.get(), Web.JUPYTER_PORT) : null);
    body.put("jupyter_token", on ? web.get().token() : null);
  }

  void putWhatIsThere(Map<String, Object> body, Optional<Web> web) {
    web.map(Web::jupyter)
        .filter(Web.Jupyter::isOn)
        .ifPresent(_ -> body.put("jupyter_port", Web.JUPYTER_PORT));
    web.map(Web::jupyter)
        .filter(jupyter -> jupyter.wanted() && !jupyter.error().isEmpty())
        .ifPresent(jupyter -> body.put("jupyter_error", jupyter.error()));
    web.filter(one -> !one.ports().isEmpty())
        .ifPresent(
            one -> body.put("ports", one.ports().stream().map(port -> view(one, port)).toList()));
  }

  Map<String, Object> view(Web web, Port port) {
    Map<String, Object> view = new LinkedHashMap<>();
    view.put("port", port.number());
    view.put("strip_prefix", port.stripPrefix());
    view.put("url", url(web, port.number()));
    return view;
  }

  private String url(Web web, int port) {
    return addresses.url(web.hostName(), port) + "?token=" + web.token();
  }
}
