package gpuaas.events;

import gpuaas.db.Database;
import gpuaas.db.DatabaseSettings;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Map;

/** A process that relays and delivers until it is killed, or whoever started it is gone. */
public final class FloodServer {

  private FloodServer() {}

  public static void main(String[] arguments) throws Exception {
    Map<String, String> given = System.getenv();
    DatabaseSettings settings =
        new DatabaseSettings(
            given.get("URL"),
            given.get("USER_NAME"),
            given.get("PASSWORD"),
            6,
            Duration.ofSeconds(5));
    try (Database database = Database.open(settings);
        EventStage _ =
            new EventStage(database, Path.of(given.get("FOLDER")), EventFloodTest.rules())
                .start()) {
      var _ = System.in.read();
    }
  }

  /** Starts one beside this process. */
  static Process start(DatabaseSettings settings, Path folder) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin/java").toString(),
                "-Xmx128m",
                "-XX:TieredStopAtLevel=1",
                "-cp",
                System.getProperty("java.class.path"),
                FloodServer.class.getName())
            .redirectErrorStream(true)
            .redirectOutput(ProcessBuilder.Redirect.appendTo(folder.resolve("output").toFile()));
    builder
        .environment()
        .putAll(
            Map.of(
                "URL", settings.url(),
                "USER_NAME", settings.user(),
                "PASSWORD", settings.password(),
                "FOLDER", folder.toString()));
    return builder.start();
  }
}
