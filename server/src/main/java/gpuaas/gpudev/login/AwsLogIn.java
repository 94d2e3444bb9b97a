package gpuaas.gpudev.login;

import ch.qos.logback.classic.Level;
import java.util.Optional;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import software.amazon.awssdk.auth.credentials.AnonymousCredentialsProvider;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.AwsSessionCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.awscore.exception.AwsServiceException;
import software.amazon.awssdk.awscore.retry.AwsRetryStrategy;
import software.amazon.awssdk.core.interceptor.Context;
import software.amazon.awssdk.core.interceptor.ExecutionAttributes;
import software.amazon.awssdk.core.interceptor.ExecutionInterceptor;
import software.amazon.awssdk.http.SdkHttpRequest;
import software.amazon.awssdk.http.urlconnection.UrlConnectionHttpClient;
import software.amazon.awssdk.profiles.ProfileFile;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.sts.StsClient;
import software.amazon.awssdk.services.sts.StsClientBuilder;
import software.amazon.awssdk.services.sts.model.GetCallerIdentityRequest;

/**
 * Asks AWS whose credentials these are. One client serves all: the credentials go with each call
 * and are forgotten after it. Safe for many threads.
 */
public final class AwsLogIn implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(AwsLogIn.class);

  static {
    // When told to be talkative, the SDK logs what it signs, session tokens included.
    if (LoggerFactory.getLogger("software.amazon.awssdk")
        instanceof ch.qos.logback.classic.Logger talkative) {
      talkative.setLevel(Level.WARN);
    }
  }

  private final AwsRules rules;
  private final LogInSettings.Aws settings;
  private final ReentrantLock making = new ReentrantLock();
  private volatile @Nullable StsClient client;

  public AwsLogIn(LogInSettings.Aws settings) {
    this.rules = new AwsRules(settings);
    this.settings = settings;
  }

  /** Made when it is first needed: loading the SDK takes seconds that a start should not wait. */
  private StsClient sts() {
    StsClient made = client;
    if (made != null) {
      return made;
    }
    making.lock();
    try {
      made = client;
      if (made == null) {
        made = client(settings);
        client = made;
      }
      return made;
    } finally {
      making.unlock();
    }
  }

  private static StsClient client(LogInSettings.Aws settings) {
    // Nothing from the home of whoever runs the server: the settings count.
    ProfileFile noProfiles = ProfileFile.aggregator().build();
    StsClientBuilder builder =
        StsClient.builder()
            .region(Region.of(settings.region()))
            .credentialsProvider(AnonymousCredentialsProvider.create())
            .httpClient(
                new BoundedSdkHttp(
                    UrlConnectionHttpClient.builder()
                        .connectionTimeout(settings.connectLimit())
                        .socketTimeout(settings.readLimit())
                        .build(),
                    settings.answerBytesMost()))
            .overrideConfiguration(configuration ->
                configuration
                    .defaultProfileFile(noProfiles)
                    .retryStrategy(
                        AwsRetryStrategy.standardRetryStrategy().toBuilder()
                            .maxAttempts(settings.attempts())
                            .build())
                    .apiCallTimeout(settings.callLimit()));
    settings
        .stsEndpoint()
        .ifPresent(endpoint ->
            builder
                .endpointOverride(endpoint)
                .overrideConfiguration(
                    builder.overrideConfiguration().toBuilder()
                        .addExecutionInterceptor(new EndpointPath(endpoint.getRawPath()))
                        .build()));
    return builder.build();
  }

  /** Whose credentials these are. Waits for AWS, at most the limit for a call. */
  public LogInAnswer visitor(AwsCredentials credentials) {
    if (!credentials.isWellFormed()) {
      return AwsRules.invalid();
    }
    try {
      Optional<String> arn =
          Optional.ofNullable(sts().getCallerIdentity(signedBy(credentials)).arn());
      return arn.map(rules::visitor).orElseGet(AwsRules::unverified);
    } catch (AwsServiceException no) {
      return Optional.ofNullable(no.awsErrorDetails())
          .flatMap(details -> Optional.ofNullable(details.errorCode()))
          .map(AwsRules::denied)
          .orElseGet(AwsRules::unverified);
    } catch (RuntimeException unreachable) {
      // The kind alone: a message may hold what was sent.
      LOG.warn("STS did not verify credentials: {}", kinds(unreachable));
      return AwsRules.unverified();
    }
  }

  private static GetCallerIdentityRequest signedBy(AwsCredentials credentials) {
    StaticCredentialsProvider provider =
        StaticCredentialsProvider.create(
            credentials
                .sessionToken()
                .<software.amazon.awssdk.auth.credentials.AwsCredentials>map(token ->
                    AwsSessionCredentials.create(
                        credentials.accessKeyId(), credentials.secretAccessKey(), token))
                .orElseGet(() ->
                    AwsBasicCredentials.create(
                        credentials.accessKeyId(), credentials.secretAccessKey())));
    return GetCallerIdentityRequest.builder()
        .overrideConfiguration(call -> call.credentialsProvider(provider))
        .build();
  }

  private static String kinds(Throwable thrown) {
    Throwable cause = thrown.getCause();
    String kind = thrown.getClass().getSimpleName();
    return cause == null ? kind : kind + " by " + cause.getClass().getSimpleName();
  }

  @Override
  public void close() {
    StsClient made = client;
    if (made != null) {
      made.close();
    }
  }

  /** The SDK takes all of an endpoint but its path, and would always ask for the root. */
  private record EndpointPath(String path) implements ExecutionInterceptor {
    @Override
    public SdkHttpRequest modifyHttpRequest(
        Context.ModifyHttpRequest context, ExecutionAttributes attributes) {
      return context.httpRequest().toBuilder().encodedPath(path.isEmpty() ? "/" : path).build();
    }
  }
}
