package gpuaas.spi;

import java.util.List;

/**
 * Makes providers of one type. Found by {@link java.util.ServiceLoader}; one factory may open many
 * providers: two clusters are two providers of one type.
 */
public interface ProviderFactory {

  /** The name used in the settings, such as {@code local} or {@code vastai}. */
  String type();

  /** Every setting the type knows. A setting that is not listed stops the start. */
  List<Setting> settings();

  /** Opens one provider. Throws {@link IllegalArgumentException} with a sentence on a bad value. */
  Provider open(ProviderConfig config);

  /**
   * One setting of a provider.
   *
   * @param name lower-case-with-dashes
   * @param meaning one sentence for the settings page
   * @param fallback the value when none is given; empty means it has none
   * @param secret never printed
   */
  record Setting(String name, String meaning, String fallback, boolean secret) {}
}
