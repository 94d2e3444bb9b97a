package gpuaas.gateway;

import gpuaas.access.SshKey;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermission;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.util.Iterator;
import java.util.List;
import java.util.Set;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;

/** The keys by which clients know the gateway again: made once, then read. */
final class HostKeys {

  private static final Set<PosixFilePermission> OWNER_ONLY =
      PosixFilePermissions.fromString("rw-------");

  private final List<KeyPair> pairs;

  private HostKeys(List<KeyPair> pairs) {
    this.pairs = pairs;
  }

  /**
   * Reads the keys, or makes those that do not exist.
   *
   * @throws UncheckedIOException when a file cannot be used; the message says what to do
   */
  static HostKeys at(Path file) {
    Path second = file.resolveSibling(file.getFileName() + "_ecdsa");
    return new HostKeys(
        List.of(
            readOrMake(file, KeyPairProvider.SSH_ED25519, 256),
            readOrMake(second, KeyPairProvider.ECDSA_SHA2_NISTP256, 256)));
  }

  List<KeyPair> pairs() {
    return pairs;
  }

  List<SshKey> publicKeys() {
    return pairs.stream()
        .map(pair -> SshKey.parse(PublicKeyEntry.toString(pair.getPublic())))
        .toList();
  }

  private static KeyPair readOrMake(Path file, String type, int bits) {
    try {
      if (!Files.exists(file)) {
        make(file, type, bits);
      }
      return read(file);
    } catch (GeneralSecurityException e) {
      throw new UncheckedIOException(new IOException("The host key " + file + " is damaged.", e));
    } catch (IOException e) {
      throw new UncheckedIOException("The host key " + file + " cannot be used.", e);
    }
  }

  /** Two servers may start at once: the file appears whole, and the first one wins. */
  private static void make(Path file, String type, int bits)
      throws IOException, GeneralSecurityException {
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(
        KeyUtils.generateKeyPair(type, bits), "gpuaas gateway", null, text);
    Path folder = file.toAbsolutePath().getParent();
    Files.createDirectories(folder);
    Path draft =
        Files.createTempFile(
            folder, ".host_key", "", PosixFilePermissions.asFileAttribute(OWNER_ONLY));
    try {
      Files.write(draft, text.toByteArray());
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException _) {
      // Another server was quicker; its key is as good.
    } finally {
      Files.delete(draft);
    }
  }

  private static KeyPair read(Path file) throws IOException, GeneralSecurityException {
    if (!OWNER_ONLY.containsAll(Files.getPosixFilePermissions(file))) {
      throw new IOException("Others can read it: run chmod 600 " + file);
    }
    try (InputStream input = Files.newInputStream(file)) {
      Iterable<KeyPair> found =
          SecurityUtils.loadKeyPairIdentities(
              null, NamedResource.ofName(file.toString()), input, null);
      Iterator<KeyPair> pairs = found == null ? null : found.iterator();
      if (pairs == null || !pairs.hasNext()) {
        throw new IOException("There is no key in it.");
      }
      return pairs.next();
    }
  }
}
