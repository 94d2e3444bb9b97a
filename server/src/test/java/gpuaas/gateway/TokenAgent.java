package gpuaas.gateway;

import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.StandardProtocolFamily;
import java.net.UnixDomainSocketAddress;
import java.nio.channels.Channels;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.security.GeneralSecurityException;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.MessageDigest;
import java.security.Signature;
import java.util.Arrays;
import java.util.Base64;

/** An SSH agent with a security token in software, for {@code ssh} to use over its socket. */
final class TokenAgent implements AutoCloseable {

  private static final String TYPE = "sk-ssh-ed25519@openssh.com";
  private static final String APPLICATION = "ssh:";

  private final KeyPair keys;
  private final ServerSocketChannel listener;

  /** Whether somebody touches the token when it signs. */
  volatile boolean touched = true;

  TokenAgent(Path socket) throws IOException, GeneralSecurityException {
    keys = KeyPairGenerator.getInstance("Ed25519").generateKeyPair();
    listener = ServerSocketChannel.open(StandardProtocolFamily.UNIX);
    listener.bind(UnixDomainSocketAddress.of(socket));
    Thread.ofPlatform().daemon().start(this::serve);
  }

  String publicKeyLine() throws IOException {
    return TYPE + " " + Base64.getEncoder().encodeToString(blob()) + " token";
  }

  private byte[] blob() throws IOException {
    byte[] encoded = keys.getPublic().getEncoded();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    string(out, TYPE.getBytes(StandardCharsets.US_ASCII));
    string(out, Arrays.copyOfRange(encoded, encoded.length - 32, encoded.length));
    string(out, APPLICATION.getBytes(StandardCharsets.US_ASCII));
    return bytes.toByteArray();
  }

  private void serve() {
    while (listener.isOpen()) {
      try (SocketChannel client = listener.accept()) {
        DataInputStream in = new DataInputStream(Channels.newInputStream(client));
        DataOutputStream out = new DataOutputStream(Channels.newOutputStream(client));
        while (true) {
          byte[] request = string(in);
          string(out, answer(request));
          out.flush();
        }
      } catch (IOException _) {
        // The client has gone, or the test is over.
      } catch (GeneralSecurityException e) {
        throw new IllegalStateException(e);
      }
    }
  }

  private byte[] answer(byte[] request) throws IOException, GeneralSecurityException {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(bytes);
    switch (request[0]) {
      case 11 -> { // which identities
        out.writeByte(12);
        out.writeInt(1);
        string(out, blob());
        string(out, "token".getBytes(StandardCharsets.US_ASCII));
      }
      case 13 -> { // sign
        DataInputStream in =
            new DataInputStream(new java.io.ByteArrayInputStream(request, 1, request.length - 1));
        string(in);
        out.writeByte(14);
        string(out, sign(string(in)));
      }
      default -> out.writeByte(5); // failure
    }
    return bytes.toByteArray();
  }

  /** What a token signs: the application, that it was touched, a counter, and the message. */
  private byte[] sign(byte[] message) throws IOException, GeneralSecurityException {
    int flags = touched ? 1 : 0;
    int counter = 7;
    ByteArrayOutputStream signed = new ByteArrayOutputStream();
    DataOutputStream out = new DataOutputStream(signed);
    out.write(sha256(APPLICATION.getBytes(StandardCharsets.US_ASCII)));
    out.writeByte(flags);
    out.writeInt(counter);
    out.write(sha256(message));
    Signature signer = Signature.getInstance("Ed25519");
    signer.initSign(keys.getPrivate());
    signer.update(signed.toByteArray());
    ByteArrayOutputStream signature = new ByteArrayOutputStream();
    DataOutputStream form = new DataOutputStream(signature);
    string(form, TYPE.getBytes(StandardCharsets.US_ASCII));
    string(form, signer.sign());
    form.writeByte(flags);
    form.writeInt(counter);
    return signature.toByteArray();
  }

  private static byte[] sha256(byte[] bytes) throws GeneralSecurityException {
    return MessageDigest.getInstance("SHA-256").digest(bytes);
  }

  private static void string(DataOutputStream out, byte[] bytes) throws IOException {
    out.writeInt(bytes.length);
    out.write(bytes);
  }

  private static byte[] string(DataInputStream in) throws IOException {
    return in.readNBytes(in.readInt());
  }

  @Override
  public void close() throws IOException {
    listener.close();
  }
}
