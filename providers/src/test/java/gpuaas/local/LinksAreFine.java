package gpuaas.local;

import java.io.IOException;
import java.nio.file.Path;
import org.junit.jupiter.api.extension.AnnotatedElementContext;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.io.TempDirDeletionStrategy;

/** Deletes a test's folder without a warning for each of a root folder's many links. */
public final class LinksAreFine implements TempDirDeletionStrategy {

  @Override
  public DeletionResult delete(
      Path folder, AnnotatedElementContext element, ExtensionContext context) throws IOException {
    EnvironmentFolder.deleteTree(folder);
    return DeletionResult.builder(folder).build();
  }
}
