package gpuaas.main;

import java.io.PrintStream;

/** What a person sees when the server is up: where everything is, and four lines to paste. */
record Welcome(Wiring.Running system) {

  void print(PrintStream out) {
    Settings settings = system.settings();
    String api = settings.apiUrl().orElse("http://localhost:" + system.listeners().api().port());
    String idp = settings.idpUrl().orElse("http://localhost:" + system.listeners().idp().port());
    out.println();
    out.println("GPUaaS is ready.");
    out.println("  API        " + api + "/api/v1");
    out.println(
        "  GPU.ai API http://localhost:" + system.listeners().gpuai().port() + "/v1 and /sdk/v1");
    out.println("  GPU Dev    http://localhost:" + system.listeners().gpudev().port() + "/v1/jobs");
    out.println(
        "  Shopper    http://localhost:"
            + system.listeners().shopper().port()
            + "/api/v1/inventory");
    out.println("  Log-in     " + idp + "/realms/gpuaas");
    out.println(
        "  SSH        "
            + settings.sshHost().orElse(settings.address())
            + " port "
            + system.gateway().port());
    out.println("  Browser    " + system.proxy().addresses().publicUrl() + " (ports of leases)");
    out.println("  Data       " + settings.data());
    if (!settings.development()) {
      settings
          .people()
          .logIn()
          .issuer()
          .ifPresentOrElse(
              issuer ->
                  out.println(
                      "  People log in at "
                          + issuer.issuer()
                          + "; oidc.group-roles says who of them runs this."),
              () ->
                  out.println(
                      "  Log in as admin; ./gpuaas admin-password shows the first password."));
      out.flush();
      return;
    }
    out.println(
        "  Log-ins    dev-user / dev123, dev-admin / admin123 (development, loopback only)");
    out.println();
    out.println("Try it (needs curl, jq and an SSH key; make one with: ssh-keygen -t ed25519):");
    out.println();
    out.println(
        "  TOKEN=$(curl -s "
            + idp
            + "/realms/gpuaas/protocol/openid-connect/token -d grant_type=password -d"
            + " client_id=gpuaas-api -d client_secret=dev-client-secret -d username=dev-user -d"
            + " password=dev123 | jq -r .access_token)");
    out.println(
        "  KEY=$(jq -n --arg key \"$(cat ~/.ssh/id_ed25519.pub)\" '{title: \"mine\", key: $key}' |"
            + " curl -s "
            + api
            + "/api/v1/ssh-keys -H \"Authorization: Bearer $TOKEN\" -d @- | jq -r .id)");
    out.println(
        "  ID=$(curl -s "
            + api
            + "/api/v1/allocations -H \"Authorization: Bearer $TOKEN\" -d '{\"sku\":"
            + " \"h200-sxm-slice\", \"gpus_total\": 1, \"region_code\": \"us-buffalo-1\","
            + " \"ssh_key_ids\": [\"'$KEY'\"]}' | jq -r .id)");
    out.println(
        "  sleep 1; ssh -p "
            + system.gateway().port()
            + " $ID@localhost        # and when done: curl -sX POST "
            + api
            + "/api/v1/allocations/$ID/release -H \"Authorization: Bearer $TOKEN\"");
    out.println();
    out.flush();
  }
}
