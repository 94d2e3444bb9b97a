package gpuaas.gpudev.login;

import static java.nio.charset.StandardCharsets.UTF_8;

import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.ZoneOffset;
import java.util.LinkedHashMap;
import java.util.Map;
import software.amazon.awssdk.http.ContentStreamProvider;
import software.amazon.awssdk.http.SdkHttpMethod;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4FamilyHttpSigner.AuthLocation;
import software.amazon.awssdk.http.auth.aws.signer.AwsV4HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.HttpSigner;
import software.amazon.awssdk.http.auth.spi.signer.SignRequest;
import software.amazon.awssdk.identity.spi.AwsCredentialsIdentity;
import software.amazon.awssdk.identity.spi.AwsSessionCredentialsIdentity;

/** Signs as a client of AWS does: with the SDK's signer. */
final class AwsClient {

  static final String IDENTITY = "Action=GetCallerIdentity&Version=2011-06-15";
  static final String FORM = "application/x-www-form-urlencoded; charset=utf-8";

  private AwsClient() {}

  private static AwsCredentialsIdentity identity(AwsCredentials credentials) {
    String id = credentials.accessKeyId();
    String secret = credentials.secretAccessKey();
    return credentials.sessionToken().isEmpty()
        ? AwsCredentialsIdentity.create(id, secret)
        : AwsSessionCredentialsIdentity.create(id, secret, credentials.sessionToken().get());
  }

  private static SdkHttpRequest signed(
      AwsCredentials credentials,
      SdkHttpRequest request,
      String body,
      AuthLocation location,
      Instant at) {
    SignRequest.Builder<AwsCredentialsIdentity> sign =
        SignRequest.builder(identity(credentials))
            .request(request)
            .payload(ContentStreamProvider.fromString(body, UTF_8))
            .putProperty(AwsV4HttpSigner.SERVICE_SIGNING_NAME, "sts")
            .putProperty(AwsV4HttpSigner.REGION_NAME, "us-east-1")
            .putProperty(AwsV4HttpSigner.AUTH_LOCATION, location)
            .putProperty(HttpSigner.SIGNING_CLOCK, Clock.fixed(at, ZoneOffset.UTC));
    if (location == AuthLocation.QUERY_STRING) {
      sign.putProperty(AwsV4HttpSigner.EXPIRATION_DURATION, Duration.ofMinutes(15));
    }
    return AwsV4HttpSigner.create().sign(sign.build()).request();
  }

  private static SdkHttpRequest.Builder request(URI sts, String server) {
    SdkHttpRequest.Builder request = SdkHttpRequest.builder().uri(sts);
    if (!server.isEmpty()) {
      request.putHeader("X-GPUaaS-Server", server);
    }
    return request;
  }

  private static PresignedRequest presigned(SdkHttpRequest signed, String body) {
    Map<String, String> headers = new LinkedHashMap<>();
    signed.headers().forEach((name, values) -> headers.put(name, values.getFirst()));
    return new PresignedRequest(signed.method().name(), signed.getUri().toString(), headers, body);
  }

  /** A POST of this form, signed in its headers. */
  static PresignedRequest post(
      AwsCredentials credentials, URI sts, String server, String form, Instant at) {
    SdkHttpRequest request =
        request(sts, server).method(SdkHttpMethod.POST).putHeader("Content-Type", FORM).build();
    return presigned(signed(credentials, request, form, AuthLocation.HEADER, at), form);
  }

  /** A GET of this query, signed there. */
  static PresignedRequest get(
      AwsCredentials credentials, URI sts, String server, String query, Instant at) {
    SdkHttpRequest.Builder request = request(sts, server).method(SdkHttpMethod.GET);
    for (String pair : query.split("&")) {
      request.putRawQueryParameter(pair.split("=")[0], pair.split("=")[1]);
    }
    return presigned(signed(credentials, request.build(), "", AuthLocation.QUERY_STRING, at), "");
  }
}
