package gpuaas.local.gpu;

import gpuaas.local.linux.Command;
import java.io.IOException;
import java.io.StringReader;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.w3c.dom.Node;
import org.w3c.dom.NodeList;
import org.xml.sax.InputSource;
import org.xml.sax.SAXException;

/** NVIDIA's command line tool, by its XML form. */
final class NvidiaSmi {

  private static final long TIMEOUT_SECONDS = 20;

  private NvidiaSmi() {}

  static List<DriverGpu> list(Path program) throws IOException {
    return parse(ask(program));
  }

  /** How busy the busiest of these GPUs is, in percent. */
  static int busiest(Path program, List<String> uuids) throws IOException {
    return busiest(ask(program), uuids);
  }

  static List<DriverGpu> parse(String xml) throws SourceFailure {
    List<DriverGpu> gpus = new ArrayList<>();
    for (Element element : elements(xml)) {
      gpus.add(gpu(element));
    }
    return gpus;
  }

  static int busiest(String xml, List<String> uuids) throws SourceFailure {
    int busiest = 0;
    List<String> left = new ArrayList<>(uuids);
    for (Element gpu : elements(xml)) {
      if (left.remove(text(gpu, "uuid"))) {
        String percent = text((Element) first(gpu, "utilization"), "gpu_util");
        busiest = Math.max(busiest, number(percent.replace("%", "")));
      }
    }
    if (!left.isEmpty()) {
      throw new SourceFailure("nvidia-smi did not name " + left);
    }
    return busiest;
  }

  private static String ask(Path program) throws IOException {
    Command.Result result = Command.run(TIMEOUT_SECONDS, List.of(program.toString(), "-q", "-x"));
    if (!result.ok()) {
      throw new SourceFailure("nvidia-smi ended with " + result.exitCode());
    }
    return result.output();
  }

  private static List<Element> elements(String xml) throws SourceFailure {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newInstance();
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_DTD, "");
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_SCHEMA, "");
      // Its documents name a DTD that lies nowhere; it is not looked for.
      factory.setFeature("http://apache.org/xml/features/nonvalidating/load-external-dtd", false);
      factory.setExpandEntityReferences(false);
      Element root =
          factory
              .newDocumentBuilder()
              .parse(new InputSource(new StringReader(xml)))
              .getDocumentElement();
      List<Element> gpus = new ArrayList<>();
      NodeList elements = root.getElementsByTagName("gpu");
      for (int index = 0; index < elements.getLength(); index++) {
        gpus.add((Element) elements.item(index));
      }
      return gpus;
    } catch (ParserConfigurationException | SAXException | IOException e) {
      throw new SourceFailure("nvidia-smi said what cannot be read: " + e.getMessage());
    }
  }

  private static DriverGpu gpu(Element gpu) throws SourceFailure {
    String memory = text((Element) first(gpu, "fb_memory_usage"), "total");
    return new DriverGpu(
        text(gpu, "uuid"),
        text(gpu, "product_name"),
        number(memory.replace("MiB", "")),
        number(text(gpu, "minor_number")));
  }

  private static int number(String text) throws SourceFailure {
    try {
      return Integer.parseInt(text.strip());
    } catch (NumberFormatException e) {
      throw new SourceFailure("nvidia-smi said what cannot be read: " + e.getMessage());
    }
  }

  private static String text(Element element, String name) throws SourceFailure {
    return first(element, name).getTextContent().strip();
  }

  private static Node first(Element element, String name) throws SourceFailure {
    Node node = element.getElementsByTagName(name).item(0);
    if (node == null) {
      throw new SourceFailure("nvidia-smi did not say its " + name);
    }
    return node;
  }
}
