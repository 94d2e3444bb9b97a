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
    Command.Result result = Command.run(TIMEOUT_SECONDS, List.of(program.toString(), "-q", "-x"));
    if (!result.ok()) {
      throw new SourceFailure("nvidia-smi ended with " + result.exitCode());
    }
    return parse(result.output());
  }

  static List<DriverGpu> parse(String xml) throws SourceFailure {
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
      List<DriverGpu> gpus = new ArrayList<>();
      NodeList elements = root.getElementsByTagName("gpu");
      for (int index = 0; index < elements.getLength(); index++) {
        gpus.add(gpu((Element) elements.item(index)));
      }
      return gpus;
    } catch (ParserConfigurationException | SAXException | IOException | NumberFormatException e) {
      throw new SourceFailure("nvidia-smi said what cannot be read: " + e.getMessage());
    }
  }

  private static DriverGpu gpu(Element gpu) throws SourceFailure {
    String memory = text((Element) first(gpu, "fb_memory_usage"), "total");
    return new DriverGpu(
        text(gpu, "uuid"),
        text(gpu, "product_name"),
        Integer.parseInt(memory.replace("MiB", "").strip()),
        Integer.parseInt(text(gpu, "minor_number")));
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
