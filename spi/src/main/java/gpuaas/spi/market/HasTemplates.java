package gpuaas.spi.market;

import java.time.Instant;
import java.util.List;
import java.util.Optional;

/** A market whose machines can begin from templates. */
public interface HasTemplates {

  /** Those that the market recommends. May be an hour old. */
  List<Template> templates();

  /** Those that the machine of this offer can begin from; none for an offer that is not known. */
  List<Template> templatesFor(String offer);

  /**
   * A beginning that somebody has prepared. What the market does not say is empty.
   *
   * @param id a number of the market's
   * @param hash what requests name it by
   * @param image such as {@code vllm/vllm-openai}
   * @param tag of the image
   * @param environment options of Docker, as the market writes them
   * @param startCommand run when it starts
   * @param mode how it is entered, in the market's words
   * @param arguments of the image's own command
   * @param diskGb how much disk it should have; 0: not said
   * @param needs what its machine must have: JSON, as the market writes it
   * @param maker number of the account that made it; 0: not said
   * @param used how often it was used
   */
  record Template(
      long id,
      String hash,
      String name,
      String image,
      String tag,
      String environment,
      String startCommand,
      String mode,
      String arguments,
      boolean ssh,
      boolean sshDirect,
      boolean recommended,
      int diskGb,
      String needs,
      long maker,
      Optional<Instant> madeAt,
      long used) {}
}
