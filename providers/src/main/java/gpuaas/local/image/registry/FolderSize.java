package gpuaas.local.image.registry;

import java.io.IOException;
import java.nio.file.FileVisitResult;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.SimpleFileVisitor;
import java.nio.file.attribute.BasicFileAttributes;
import org.jspecify.annotations.Nullable;

/**
 * What is in a folder, all the way down. Links are counted, and not followed.
 *
 * @param bytes a file with many names counts as often
 */
record FolderSize(long bytes, long entries) {

  /** Counts; what vanishes meanwhile is left out. */
  static FolderSize of(Path folder) throws IOException {
    long[] sums = new long[2];
    Files.walkFileTree(
        folder,
        new SimpleFileVisitor<>() {
          @Override
          public FileVisitResult preVisitDirectory(Path entry, BasicFileAttributes attributes) {
            sums[1]++;
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFile(Path entry, BasicFileAttributes attributes) {
            sums[0] += attributes.isRegularFile() ? attributes.size() : 0;
            sums[1]++;
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult visitFileFailed(Path entry, IOException gone) {
            return FileVisitResult.CONTINUE;
          }

          @Override
          public FileVisitResult postVisitDirectory(Path entry, @Nullable IOException gone) {
            return FileVisitResult.CONTINUE;
          }
        });
    return new FolderSize(sums[0], sums[1]);
  }
}
