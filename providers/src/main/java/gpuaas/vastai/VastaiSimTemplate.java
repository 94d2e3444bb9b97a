package gpuaas.vastai;

import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.JsonNodeFactory;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.math.BigDecimal;
import java.util.Arrays;
import java.util.Optional;

/** A template that the simulated market recommends. */
enum VastaiSimTemplate {
  VLLM(
      101,
      "4f1b7c2d9a",
      "vLLM",
      "vllm/vllm-openai",
      "{\"cuda_max_good\":{\"gte\":12.4},\"gpu_ram\":{\"gte\":24000}}"),
  OLLAMA(
      102,
      "77aa03e1c5",
      "Ollama",
      "ollama/ollama",
      "{\"gpu_ram\":{\"gt\":30000},\"unheard_of\":{\"eq\":1}}"),
  PYTORCH(103, "b2c9d0e4f6", "PyTorch", "pytorch/pytorch", "{}"),
  H100_ONLY(
      104,
      "c0ffee1234",
      "TensorRT-LLM",
      "nvcr.io/nvidia/tritonserver",
      "{\"gpu_name\":{\"in\":[\"H100 SXM\"]}}");

  private static final JsonNodeFactory NODES = JsonNodeFactory.instance;

  private final long number;
  private final String hash;
  private final String title;
  private final String image;
  private final String needs;

  VastaiSimTemplate(long number, String hash, String title, String image, String needs) {
    this.number = number;
    this.hash = hash;
    this.title = title;
    this.image = image;
    this.needs = needs;
  }

  String image() {
    return image;
  }

  static Optional<VastaiSimTemplate> find(String hash) {
    return Arrays.stream(values()).filter(one -> one.hash.equals(hash)).findFirst();
  }

  /**
   * As the market answers: times are Unix floats, and what a machine must have is JSON in a text.
   */
  static ObjectNode all() {
    ArrayNode templates = NODES.arrayNode();
    for (VastaiSimTemplate one : values()) {
      templates
          .addObject()
          .put("id", one.number)
          .put("hash_id", one.hash)
          .put("name", one.title)
          .put("image", one.image)
          .put("tag", "latest")
          .put("env", "-p 8000:8000")
          .put("onstart", "")
          .put("runtype", "ssh")
          .put("use_ssh", true)
          .put("ssh_direct", true)
          .put("recommended", true)
          .put("recommended_disk_space", 40)
          .put("extra_filters", one.needs)
          .put("creator_id", 62_897)
          .put("created_at", new BigDecimal("1730419200.25"))
          .put("count_created", 1000 - one.number);
    }
    ObjectNode answer = NODES.objectNode();
    answer.put("success", true).put("templates_found", templates.size());
    answer.set("templates", templates);
    return answer;
  }
}
