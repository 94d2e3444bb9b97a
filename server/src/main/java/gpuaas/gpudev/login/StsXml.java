package gpuaas.gpudev.login;

import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import javax.xml.XMLConstants;
import javax.xml.parsers.DocumentBuilder;
import javax.xml.parsers.DocumentBuilderFactory;
import javax.xml.parsers.ParserConfigurationException;
import org.w3c.dom.Element;
import org.xml.sax.SAXException;
import org.xml.sax.helpers.DefaultHandler;

/** The XML in which STS answers, read and written. */
final class StsXml {

  private static final String NAMESPACE = "https://sts.amazonaws.com/doc/2011-06-15/";

  private StsXml() {}

  /** What STS says. */
  sealed interface Said {
    /** That it knows the caller. */
    record Caller(String arn) implements Said {}

    /** That it does not. */
    record Failure(String code) implements Said {}
  }

  /** What an answer says; empty when it is not one of STS. */
  static Optional<Said> read(byte[] xml) {
    Element root;
    try {
      DocumentBuilder parser = parser();
      parser.setErrorHandler(new DefaultHandler()); // else it prints
      root = parser.parse(new ByteArrayInputStream(xml)).getDocumentElement();
    } catch (SAXException | IOException e) {
      return Optional.empty();
    }
    if (is(root, "GetCallerIdentityResponse")) {
      return child(root, "GetCallerIdentityResult")
          .flatMap(result -> child(result, "Arn"))
          .map(arn -> new Said.Caller(arn.getTextContent().strip()));
    }
    if (is(root, "ErrorResponse")) {
      return child(root, "Error")
          .flatMap(error -> child(error, "Code"))
          .map(code -> new Said.Failure(code.getTextContent().strip()));
    }
    return Optional.empty();
  }

  /** No document types, so no entities and nothing from elsewhere. */
  private static DocumentBuilder parser() {
    try {
      DocumentBuilderFactory factory = DocumentBuilderFactory.newDefaultNSInstance();
      factory.setFeature(XMLConstants.FEATURE_SECURE_PROCESSING, true);
      factory.setFeature("http://apache.org/xml/features/disallow-doctype-decl", true);
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_DTD, "");
      factory.setAttribute(XMLConstants.ACCESS_EXTERNAL_SCHEMA, "");
      factory.setXIncludeAware(false);
      factory.setExpandEntityReferences(false);
      return factory.newDocumentBuilder();
    } catch (ParserConfigurationException e) {
      throw new IllegalStateException("Java's own parser knows these", e);
    }
  }

  private static boolean is(Element element, String name) {
    return name.equals(element.getLocalName()) && NAMESPACE.equals(element.getNamespaceURI());
  }

  /** The child of this name, if there is just one. */
  private static Optional<Element> child(Element parent, String name) {
    List<Element> found =
        IntStream.range(0, parent.getChildNodes().getLength())
            .mapToObj(i -> parent.getChildNodes().item(i))
            .filter(node -> node instanceof Element element && is(element, name))
            .map(Element.class::cast)
            .toList();
    return found.size() == 1 ? Optional.of(found.getFirst()) : Optional.empty();
  }

  static String caller(String arn, String userId, String account, String requestId) {
    return "<GetCallerIdentityResponse xmlns=\"%s\"><GetCallerIdentityResult><Arn>%s</Arn><UserId>%s</UserId><Account>%s</Account></GetCallerIdentityResult><ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></GetCallerIdentityResponse>\n"
        .formatted(NAMESPACE, text(arn), text(userId), text(account), requestId);
  }

  static String failure(String code, String message, String requestId) {
    return "<ErrorResponse xmlns=\"%s\"><Error><Type>Sender</Type><Code>%s</Code><Message>%s</Message></Error><RequestId>%s</RequestId></ErrorResponse>\n"
        .formatted(NAMESPACE, text(code), text(message), requestId);
  }

  private static String text(String text) {
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;");
  }
}
