package gpuaas.main;

import gpuaas.db.Database;
import gpuaas.provider.Providers;
import gpuaas.sim.SimProvider;
import gpuaas.sim.SimScript;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Map;

/** The whole server over a simulated provider, with no limits in the way, for benches. */
public final class BenchServer implements AutoCloseable {

  private static final int NODES = 100;
  private static final int GPUS_PER_NODE = 8;

  private final Wiring.Running running;

  private BenchServer(Wiring.Running running) {
    this.running = running;
  }

  public static BenchServer start(Path data, Database database) throws IOException {
    Settings settings =
        Settings.load(
            Map.ofEntries(
                Map.entry("GPUAAS_DATA", data.toString()),
                Map.entry("GPUAAS_API_PORT", "0"),
                Map.entry("GPUAAS_IDP_PORT", "0"),
                Map.entry("GPUAAS_SSH_PORT", "0"),
                Map.entry("GPUAAS_GPUAI_PORT", "0"),
                Map.entry("GPUAAS_GPUDEV_PORT", "0"),
                Map.entry("GPUAAS_PROXY_PORT", "0"),
                Map.entry("GPUAAS_LEASE_MOST_PER_PROJECT", "1000000"),
                Map.entry("GPUAAS_GPUAI_CAPACITY_WAIT", "1h"),
                Map.entry("GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_PER_SECOND", "10000000"),
                Map.entry("GPUAAS_RATE_LIMIT_GPUAI_REQUESTS_BURST", "10000000")));
    Wiring.Running running =
        Wiring.open(
            settings,
            database,
            (_, _, clock, _) ->
                new Providers(
                    Map.of(
                        "sim",
                        new SimProvider("sim", clock, SimScript::prompt, NODES, GPUS_PER_NODE))),
            Main.CLOCK);
    running.loops().start();
    return new BenchServer(running);
  }

  /** From here on the background work is done, too. */
  public void work() {
    running.workLoop().start();
  }

  /** Of the GPU.ai listener. */
  public int port() {
    return running.listeners().gpuai().port();
  }

  /** A key that may do everything, of somebody who has this SSH key. */
  public String apiKey(String publicKey) {
    String idp = "http://localhost:" + running.listeners().idp().port();
    String api = "http://localhost:" + running.listeners().api().port();
    String form =
        "grant_type=password&client_id=gpuaas-api&client_secret=dev-client-secret&username=dev-user&password=dev123";
    String token =
        TestServer.send(
                "POST", idp + "/realms/gpuaas/protocol/openid-connect/token", Map.of(), form)
            .json()
            .path("access_token")
            .asText();
    Map<String, String> headers = Map.of("Authorization", "Bearer " + token);
    TestServer.send(
        "POST",
        api + "/api/v1/ssh-keys",
        headers,
        "{\"title\": \"bench\", \"key\": \"" + publicKey.strip() + "\"}");
    return TestServer.send("POST", api + "/api/v1/api-keys", headers, "{\"name\": \"bench\"}")
        .json()
        .path("key")
        .asText();
  }

  @Override
  public void close() {
    running.closeListeners();
    running.loops().close();
    running.workLoop().close();
    running.gateway().close();
    running.database().close();
  }
}
