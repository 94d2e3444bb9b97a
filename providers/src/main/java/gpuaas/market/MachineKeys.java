package gpuaas.market;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.PublicKey;
import java.util.Iterator;
import java.util.Optional;
import org.apache.sshd.common.NamedResource;
import org.apache.sshd.common.config.keys.KeyUtils;
import org.apache.sshd.common.config.keys.PublicKeyEntry;
import org.apache.sshd.common.config.keys.writer.openssh.OpenSSHKeyPairResourceWriter;
import org.apache.sshd.common.keyprovider.KeyPairProvider;
import org.apache.sshd.common.util.security.SecurityUtils;

/**
 * The one key pair that opens the machines which a provider of this deployment rents, and the keys
 * that those machines showed when they were first entered. Both are files that survive a restart.
 */
public final class MachineKeys {

  private static final String COMMENT = "gpuaas gateway";

  private final Path hosts;
  private final KeyPair pair;

  private MachineKeys(Path hosts, KeyPair pair) {
    this.hosts = hosts;
    this.pair = pair;
  }

  /** Reads the pair from this folder, or makes one there that only its owner can read. */
  public static MachineKeys open(Path folder) {
    try {
      Path hosts = Files.createDirectories(folder.resolve("hosts"));
      Path file = folder.resolve("machine_key");
      if (!Files.exists(file)) {
        write(file);
      }
      Iterable<KeyPair> found =
          SecurityUtils.loadKeyPairIdentities(
              null, NamedResource.ofName(file.toString()), Files.newInputStream(file), null);
      Iterator<KeyPair> pairs = found == null ? null : found.iterator();
      if (pairs == null || !pairs.hasNext()) {
        throw new IllegalArgumentException(file + " holds no private key");
      }
      return new MachineKeys(hosts, pairs.next());
    } catch (IOException e) {
      throw new UncheckedIOException("no key for rented machines in " + folder, e);
    } catch (GeneralSecurityException e) {
      throw new IllegalArgumentException("no key for rented machines in " + folder, e);
    }
  }

  private static void write(Path file) throws IOException, GeneralSecurityException {
    KeyPair made = KeyUtils.generateKeyPair(KeyPairProvider.SSH_ED25519, 256);
    ByteArrayOutputStream text = new ByteArrayOutputStream();
    OpenSSHKeyPairResourceWriter.INSTANCE.writePrivateKey(made, COMMENT, null, text);
    Path draft = file.resolveSibling("machine_key.draft");
    Files.deleteIfExists(draft);
    Files.createFile(
        draft, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
    Files.write(draft, text.toByteArray(), StandardOpenOption.SYNC);
    Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
  }

  /** Both halves. */
  KeyPair pair() {
    return pair;
  }

  /** The public half, as a line of an {@code authorized_keys} file. */
  public String publicLine() {
    return PublicKeyEntry.toString(pair.getPublic()) + " " + COMMENT;
  }

  /** The key that a machine showed at first; empty: nobody has been there. */
  Optional<String> seen(String machine) {
    try {
      Path file = file(machine);
      return Files.exists(file)
          ? Optional.of(Files.readString(file, StandardCharsets.US_ASCII))
          : Optional.empty();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** True when the machine is the one that was entered first, or nobody has been there yet. */
  boolean isKnownOrNew(String machine, PublicKey shown) {
    return seen(machine).map(key -> key.equals(PublicKeyEntry.toString(shown))).orElse(true);
  }

  /** From now on this machine must show this key; whoever came first has the say. */
  void remember(String machine, PublicKey shown) {
    try {
      Files.writeString(
          file(machine), PublicKeyEntry.toString(shown), StandardOpenOption.CREATE_NEW);
    } catch (FileAlreadyExistsException e) {
      // The one that was written was compared with, when the machine showed its key.
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /** The machine is gone. */
  public void forget(String machine) {
    try {
      Files.deleteIfExists(file(machine));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private Path file(String machine) {
    if (!machine.matches("[A-Za-z0-9-]{1,64}")) {
      throw new IllegalArgumentException("not the id of a machine");
    }
    return hosts.resolve(machine);
  }
}
