package gpuaas.spi;

/** Where to SSH to. */
public record Endpoint(String host, int port, String user) {}
