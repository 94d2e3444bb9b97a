package gpuaas.main;

import gpuaas.shopper.ShopperDialect.ShopperSettings;
import gpuaas.shopper.ShopperDialect.ShopperSettings.KeyType;
import java.time.Duration;
import java.util.Optional;

/** Reads the settings of the Shopper API. */
final class ShopperReader {

  private static final int KEY_LENGTH_LEAST = 16;

  private ShopperReader() {}

  static ShopperSettings read(SettingsReader reader, boolean development) {
    Optional<String> key = reader.optional("shopper.key");
    if (key.filter(text -> text.length() < KEY_LENGTH_LEAST).isPresent()) {
      throw new Settings.Wrong(
          "shopper.key must have at least " + KEY_LENGTH_LEAST + " characters that nobody guesses");
    }
    String keyType = reader.text("shopper.session-key-type", "rsa");
    if (!keyType.equals("rsa") && !keyType.equals("ed25519")) {
      throw new Settings.Wrong("shopper.session-key-type must be rsa or ed25519");
    }
    return new ShopperSettings(
        key,
        reader.text("shopper.user", development ? "dev-user" : "admin"),
        reader.duration("shopper.placement-wait", Duration.ofSeconds(20)),
        reader.duration("shopper.destroy-wait", Duration.ofSeconds(120)),
        reader.duration("shopper.hard-maximum", Duration.ofHours(12)),
        keyType.equals("rsa") ? KeyType.RSA : KeyType.ED25519,
        reader.integer("shopper.session-keys-ready", 4, 1, 1000));
  }
}
