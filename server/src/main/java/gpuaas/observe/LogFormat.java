package gpuaas.observe;

import ch.qos.logback.classic.LoggerContext;
import ch.qos.logback.classic.joran.JoranConfigurator;
import ch.qos.logback.core.joran.spi.JoranException;
import java.io.OutputStream;
import java.io.PrintStream;
import java.net.URL;
import java.util.Locale;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import org.slf4j.bridge.SLF4JBridgeHandler;

/** For whom logs are written. */
public enum LogFormat {
  /** A person at a terminal. */
  TEXT("logback.xml"),
  /** A program: a JSON object a line, and nothing else. */
  JSON("logback-json.xml");

  private final String resource;

  LogFormat(String resource) {
    this.resource = resource;
  }

  /** The word in the settings. */
  public String text() {
    return name().toLowerCase(Locale.ROOT);
  }

  /** Logs are written in this form from now on. Text is what they begin with by themselves. */
  public void begin() {
    if (this != TEXT && LoggerFactory.getILoggerFactory() instanceof LoggerContext context) {
      configure(context);
    }
    SLF4JBridgeHandler.removeHandlersForRootLogger();
    SLF4JBridgeHandler.install();
  }

  void configure(LoggerContext context) {
    URL at = Objects.requireNonNull(LogFormat.class.getClassLoader().getResource(resource));
    context.reset();
    JoranConfigurator configurator = new JoranConfigurator();
    configurator.setContext(context);
    try {
      configurator.doConfigure(at);
    } catch (JoranException e) {
      throw new IllegalStateException(resource + " cannot be read", e);
    }
  }

  /** Where to print what a person should read: a program finds it among the logs. */
  public PrintStream people() {
    return switch (this) {
      case TEXT -> System.out;
      case JSON -> new PrintStream(new Lines(LoggerFactory.getLogger("gpuaas")), true);
    };
  }

  /** Each line that is printed becomes a line of the log. */
  private static final class Lines extends OutputStream {
    private static final int LENGTH_MOST = 8000;

    private final Logger log;
    private final StringBuilder line = new StringBuilder();

    Lines(Logger log) {
      this.log = log;
    }

    @Override
    public synchronized void write(int b) {
      char next = (char) (b & 0xff);
      if (next == '\n') {
        if (!line.isEmpty()) {
          log.info("{}", line);
        }
        line.setLength(0);
      } else if (line.length() < LENGTH_MOST) {
        line.append(next);
      }
    }
  }
}
