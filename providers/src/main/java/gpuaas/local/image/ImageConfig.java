package gpuaas.local.image;

import java.util.Map;

/**
 * What an image says of how its programs want to be run.
 *
 * @param variables for every process inside
 * @param workFolder where its programs expect to begin; empty: anywhere
 */
public record ImageConfig(Map<String, String> variables, String workFolder) {

  /** Says nothing. */
  public static final ImageConfig NONE = new ImageConfig(Map.of(), "");

  public ImageConfig {
    variables = Map.copyOf(variables);
  }
}
