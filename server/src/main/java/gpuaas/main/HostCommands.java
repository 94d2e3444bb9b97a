package gpuaas.main;

import gpuaas.local.HostDoctor;
import gpuaas.local.HostSetup;
import gpuaas.local.image.ImageBuilder;
import gpuaas.main.Settings.Wrong;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;

/** Commands about this machine: what it can do, what it lacks, and the images it has. */
final class HostCommands {

  private static final String SUITE = "bookworm";

  private HostCommands() {}

  static void run(String[] arguments, Settings settings) throws IOException {
    PrintStream out = System.out;
    String command = String.join(" ", arguments);
    Map.Entry<String, Settings.ProviderSettings> local =
        settings.providers().entrySet().stream()
            .filter(entry -> entry.getValue().type().equals("local"))
            .findFirst()
            .orElseThrow(() -> new Wrong("the settings have no provider of type local"));
    Path folder =
        Files.createDirectories(settings.data().resolve("providers").resolve(local.getKey()));
    if (command.equals("host doctor")) {
      out.println(HostDoctor.report(folder, local.getValue().values()));
    } else if (command.equals("host setup")) {
      setUp(out, settings);
    } else if (command.equals("images list")) {
      list(out, imageFolder(folder, local.getValue().values()));
    } else if (arguments.length == 3 && command.startsWith("images build ")) {
      Path image =
          imageBuilder(folder, local.getValue().values(), out)
              .buildDebian(arguments[2], SUITE, ImageBuilder.Form.SQUASHFS);
      out.println("Built " + image + "; ask for it with \"image\": \"" + arguments[2] + "\".");
    } else {
      throw new Wrong("say host doctor, host setup, images list or images build NAME");
    }
  }

  private static void setUp(PrintStream out, Settings settings) throws IOException {
    if (!HostSetup.run(out::println)) {
      throw new Wrong(
          "not everything could be installed; ./gpuaas host doctor says what works without");
    }
    new SystemUser(settings.databaseSystemUser(), out::println).ensure();
  }

  private static Path imageFolder(Path providerFolder, Map<String, String> values) {
    String given = values.getOrDefault("image-folder", "");
    return given.isBlank() ? providerFolder.resolve("images") : Path.of(given);
  }

  private static ImageBuilder imageBuilder(
      Path providerFolder, Map<String, String> values, PrintStream out) throws IOException {
    return new ImageBuilder(
        Files.createDirectories(imageFolder(providerFolder, values)), out::println);
  }

  private static void list(PrintStream out, Path images) throws IOException {
    out.println("host (this machine's own programs, read-only)");
    if (!Files.isDirectory(images)) {
      return;
    }
    try (Stream<Path> files = Files.list(images)) {
      files
          .map(file -> file.getFileName().toString())
          .filter(name -> !name.startsWith("."))
          .sorted()
          .forEach(out::println);
    }
  }
}
