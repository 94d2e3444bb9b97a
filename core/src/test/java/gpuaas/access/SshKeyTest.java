package gpuaas.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SshKeyTest {

  /** Keys of a hardware token; only their public halves exist. */
  static final String TOKEN_ED25519 =
      "sk-ssh-ed25519@openssh.com "
          + token("sk-ssh-ed25519@openssh.com", new byte[0], new byte[32])
          + " token";

  @TempDir Path folder;

  private static String run(String... command) throws IOException, InterruptedException {
    Process process = new ProcessBuilder(command).redirectErrorStream(true).start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor()).as(output).isZero();
    return output;
  }

  private String keygen(String type, String bits) throws Exception {
    Path file = folder.resolve(type + bits);
    List<String> command =
        new ArrayList<>(
            List.of("ssh-keygen", "-q", "-t", type, "-N", "", "-C", "a b", "-f", file.toString()));
    if (!bits.equals("0")) {
      command.addAll(List.of("-b", bits));
    }
    run(command.toArray(String[]::new));
    return Files.readString(Path.of(file + ".pub"));
  }

  private String fingerprint(String line) throws Exception {
    Path file = Files.writeString(folder.resolve("line.pub"), line);
    return run("ssh-keygen", "-l", "-E", "sha256", "-f", file.toString()).split(" ")[1];
  }

  @ParameterizedTest
  @CsvSource({
    "ed25519,0,ssh-ed25519",
    "rsa,2048,ssh-rsa",
    "rsa,3072,ssh-rsa",
    "ecdsa,256,ecdsa-sha2-nistp256",
    "ecdsa,384,ecdsa-sha2-nistp384",
    "ecdsa,521,ecdsa-sha2-nistp521"
  })
  void readsWhatSshKeygenWrites(String type, String bits, String wire) throws Exception {
    // Shows that every kind of key that ssh-keygen makes is read as ssh-keygen itself reads it.
    String line = keygen(type, bits);
    SshKey key = SshKey.parse(line);
    assertThat(key.type()).isEqualTo(wire);
    assertThat(key.comment()).isEqualTo("a b");
    assertThat(key.line()).isEqualTo(line.strip());
    assertThat(key.fingerprint()).isEqualTo(fingerprint(line));
  }

  @Test
  void readsKeysOfTokens() throws Exception {
    // Shows that both kinds of token keys are accepted, with the fingerprint of ssh-keygen.
    assertThat(SshKey.parse(TOKEN_ED25519).fingerprint()).isEqualTo(fingerprint(TOKEN_ED25519));
    String[] ecdsa = keygen("ecdsa", "256").split(" ");
    byte[] blob = Base64.getDecoder().decode(ecdsa[1]);
    byte[] point = Arrays.copyOfRange(blob, blob.length - 65, blob.length);
    String type = "sk-ecdsa-sha2-nistp256@openssh.com";
    String line = type + " " + token(type, "nistp256".getBytes(StandardCharsets.US_ASCII), point);
    assertThat(SshKey.parse(line).fingerprint()).isEqualTo(fingerprint(line));
  }

  private static String token(String type, byte[] curve, byte[] key) {
    java.io.ByteArrayOutputStream blob = new java.io.ByteArrayOutputStream();
    for (byte[] part :
        List.of(
            type.getBytes(StandardCharsets.US_ASCII),
            curve,
            key,
            "ssh:".getBytes(StandardCharsets.US_ASCII))) {
      if (part.length > 0) {
        blob.writeBytes(java.nio.ByteBuffer.allocate(4).putInt(part.length).array());
        blob.writeBytes(part);
      }
    }
    return Base64.getEncoder().encodeToString(blob.toByteArray());
  }

  @Test
  void isGenerousWithSpace() throws Exception {
    // Shows that space around the parts, tabs and a line's end do not matter; a comment may lack.
    String[] parts = keygen("ed25519", "0").strip().split(" ");
    SshKey key = SshKey.parse("  \t" + parts[0] + "\t  " + parts[1] + "\r\n");
    assertThat(key.line()).isEqualTo(parts[0] + " " + parts[1]);
    assertThat(key.bytes()).isEqualTo(Base64.getDecoder().decode(parts[1]));
  }

  @Test
  void refusesWithAReason() throws Exception {
    // Shows the sentence for each mistake that people make.
    String good = keygen("ed25519", "0").strip();
    String[] parts = good.split(" ");
    refused("", "empty");
    refused(good + "\n" + good, "several lines");
    refused("x".repeat(20_000), "16 KiB");
    refused(Files.readString(folder.resolve("ed255190")), "private key");
    refused("PuTTY-User-Key-File-3: ssh-ed25519\n", "private key");
    refused("---- BEGIN SSH2 PUBLIC KEY ----\nAAAA", "ssh-keygen -i");
    refused("command=\"ls\" " + good, "Options");
    refused("no-pty,from=\"10.0.0.1 ssh\" " + good, "Options");
    refused("ssh-dss AAAAB3NzaC1kc3M= x", "DSA");
    refused("ssh-ed25519-cert-v01@openssh.com AAAA x", "certificate");
    refused("ssh-ed25519", "missing");
    refused("hello world", "not a public key");
    refused("ssh-ed25519 ÄÖÜ", "base64");
    refused("ssh-rsa " + parts[1], "another type");
    refused(good.replace(" a b", " a\u001b[2Jb"), "control");
    refused(keygen("rsa", "1024"), "1024 bits");
  }

  @Test
  void refusesEveryDamage() throws Exception {
    // Shows that a key that is cut, longer, or not on its curve is refused, and that no damage
    // leads to another exception.
    for (String line :
        List.of(keygen("ed25519", "0"), keygen("rsa", "2048"), keygen("ecdsa", "256"))) {
      String[] parts = line.split(" ");
      byte[] blob = Base64.getDecoder().decode(parts[1]);
      for (int length = 1; length < blob.length; length++) {
        refused(with(parts[0], Arrays.copyOf(blob, length)), "Copy the whole line");
      }
      refused(with(parts[0], Arrays.copyOf(blob, blob.length + 1)), "damaged");
      Random random = new Random(7);
      for (int i = 0; i < 2000; i++) {
        byte[] other = blob.clone();
        other[random.nextInt(other.length)] ^= (byte) (1 << random.nextInt(8));
        try {
          SshKey.parse(with(parts[0], other)); // a flipped bit may give another good key
        } catch (IllegalArgumentException _) {
          // The only exception there is.
        }
      }
    }
    String[] ecdsa = Files.readString(folder.resolve("ecdsa256.pub")).split(" ");
    byte[] off = Base64.getDecoder().decode(ecdsa[1]);
    off[off.length - 1] ^= 1;
    refused(with(ecdsa[0], off), "damaged");
  }

  private static String with(String type, byte[] blob) {
    return type + " " + Base64.getEncoder().encodeToString(blob);
  }

  private static void refused(String line, String reason) {
    assertThatThrownBy(() -> SshKey.parse(line))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageContaining(reason);
  }

  @Test
  void madeKeysAreOpenSshKeys() throws Exception {
    // Shows that ssh-keygen reads our private keys and finds the same public key, and so do we.
    KeyPairs.Pair pair = KeyPairs.make("gpuaas probe");
    Path file = folder.resolve("made");
    Files.createFile(
        file,
        java.nio.file.attribute.PosixFilePermissions.asFileAttribute(
            java.nio.file.attribute.PosixFilePermissions.fromString("rw-------")));
    Files.writeString(file, pair.privateKey());
    assertThat(run("ssh-keygen", "-y", "-f", file.toString()).strip())
        .isEqualTo(pair.publicKey().line());
    assertThat(KeyPairs.read(pair.privateKey()).publicKey().blob())
        .isEqualTo(pair.publicKey().blob());
    assertThat(pair.toString()).doesNotContain("PRIVATE");
    assertThatThrownBy(() -> KeyPairs.read("nonsense"))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
