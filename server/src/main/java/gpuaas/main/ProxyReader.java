package gpuaas.main;

import gpuaas.proxy.ProxySettings;
import gpuaas.proxy.ProxySettings.KeyStoreFile;
import gpuaas.web.WebRules;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Optional;

/** Reads the settings of the proxy into leases, and of what is reached through it. */
final class ProxyReader {

  private static final int PORT = 8070;

  private ProxyReader() {}

  /** Both of them. */
  record Web(ProxySettings proxy, WebRules rules) {}

  /**
   * @param address where the other listeners are
   * @param host what people are told to connect to
   */
  static Web read(SettingsReader reader, String address, Optional<String> host) {
    return new Web(proxy(reader, address, host), rules(reader));
  }

  private static ProxySettings proxy(SettingsReader reader, String address, Optional<String> host) {
    ProxySettings standard = ProxySettings.standard();
    String own = reader.text("proxy.address", address);
    Optional<String> url =
        reader.optional("proxy.public-url").map(text -> text.replaceFirst("/+$", ""));
    if (url.filter(text -> !text.matches("https?://[A-Za-z0-9._\\[\\]:-]+")).isPresent()) {
      throw new Settings.Wrong(
          "proxy.public-url must be like https://web.example.com, without a path");
    }
    Optional<String> domain =
        reader.optional("proxy.domain").map(text -> text.toLowerCase(Locale.ROOT));
    if (domain.filter(text -> !text.matches("[a-z0-9-]+(\\.[a-z0-9-]+)*")).isPresent()) {
      throw new Settings.Wrong("proxy.domain must be a domain such as leases.example.com");
    }
    Optional<String> keys = reader.optional("proxy.key-store");
    Optional<String> password = reader.optional("proxy.key-store-password-file");
    if (keys.isPresent() != password.isPresent()) {
      throw new Settings.Wrong("proxy.key-store and proxy.key-store-password-file need each other");
    }
    return new ProxySettings(
        own,
        reader.integer("proxy.port", PORT, 0, 65_535),
        url,
        host.orElse(own),
        domain,
        keys.map(file -> new KeyStoreFile(Path.of(file), Path.of(password.orElseThrow()))),
        reader.duration("proxy.head-limit", standard.headLimit()),
        reader.duration("proxy.keep-alive", standard.keepAlive()),
        reader.duration("proxy.answer-limit", standard.answerLimit()),
        reader.duration("proxy.idle-limit", standard.idleLimit()),
        reader.integer("proxy.connections-most", standard.connectionsMost(), 1, 1_000_000),
        reader.integer(
            "proxy.connections-most-per-lease", standard.connectionsMostPerLease(), 1, 1_000_000));
  }

  private static WebRules rules(SettingsReader reader) {
    WebRules standard = WebRules.standard();
    return new WebRules(
        reader.duration("jupyter.watch-every", standard.watchEvery()),
        reader.duration("jupyter.start-look-every", standard.startLookEvery()),
        reader.duration("jupyter.start-limit", standard.startLimit()),
        reader.duration("jupyter.retry-longest", standard.retryLongest()),
        reader.duration("jupyter.command-limit", standard.commandLimit()),
        reader.integer("proxy.ports-most-per-lease", standard.portsMost(), 0, 1000));
  }
}
