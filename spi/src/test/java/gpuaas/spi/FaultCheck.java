package gpuaas.spi;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import java.time.Duration;
import java.util.List;

/** Orders a fault of a provider, and checks what the provider makes of it. */
final class FaultCheck {

  private static final Duration LONGEST_WAIT = Duration.ofMinutes(10);

  private final ProviderContract contract;

  FaultCheck(ProviderContract contract) {
    this.contract = contract;
  }

  void check(ProviderFault fault) {
    switch (fault) {
      case LOST_REPLY -> lostReply();
      case UNREACHABLE -> unreachable();
      case BROKEN, TRUNCATED -> cannotBeAsked(fault);
      case LATE_LISTING -> lateListing();
      case PRICE_RISES, OFFER_VANISHES -> notOnTheseTerms(fault);
      case QUOTA_USED_UP -> quota();
      case TOO_MANY_CALLS -> tooManyCalls();
      case BAD_CREDENTIALS -> badCredentials();
      case INSTANCES_LOST -> instancesLost();
    }
  }

  private Provider provider() {
    return contract.provider();
  }

  private InstanceRequest request() {
    return contract.request(ProviderContract.FIRST_LEASE, 1);
  }

  private List<Owned> listed() {
    return provider().list(ProviderContract.DEPLOYMENT);
  }

  private void lostReply() {
    // Something may exist, so that is said; asking again makes no second one; the tag leads to it.
    InstanceRequest request = request();
    contract.order(ProviderFault.LOST_REPLY);
    assertThatThrownBy(() -> provider().create(request))
        .isInstanceOf(ProviderException.OutcomeUnknown.class);
    contract.endFaults();
    contract.eventually("it is listed", () -> listed().size() == 1);
    Owned found = listed().getFirst();
    assertThat(found.tag()).isEqualTo(request.tag());
    if (contract.knowsATagAgain()) {
      assertThat(provider().create(request)).isEqualTo(found.instance());
      assertThat(listed()).hasSize(1);
    }
    contract.eventuallyUp(found.instance());
  }

  private void unreachable() {
    // Surely nothing happened; and nothing may be concluded about what was there.
    InstanceRef before = provider().create(request());
    InstanceRequest next = contract.request(ProviderContract.FIRST_LEASE, 2);
    contract.order(ProviderFault.UNREACHABLE);
    assertThatThrownBy(() -> provider().create(next))
        .isInstanceOf(ProviderException.Unavailable.class);
    nothingIsConcluded(before);
    cannotBeDestroyed(before);
    contract.endFaults();
    assertThat(listed()).singleElement().extracting(Owned::instance).isEqualTo(before);
  }

  private void cannotBeAsked(ProviderFault fault) {
    // Could not be asked is not the same as gone: neither an instance nor the list is empty.
    InstanceRef before = provider().create(request());
    contract.order(fault);
    nothingIsConcluded(before);
    if (fault == ProviderFault.BROKEN) {
      cannotBeDestroyed(before); // half an answer may be that of a destroy that was carried out
    }
    contract.endFaults();
    contract.eventuallyUp(before);
  }

  private void nothingIsConcluded(InstanceRef before) {
    assertThatThrownBy(() -> provider().inspect(before)).isInstanceOf(ProviderException.class);
    assertThatThrownBy(this::listed).isInstanceOf(ProviderException.class);
  }

  private void cannotBeDestroyed(InstanceRef before) {
    assertThatThrownBy(() -> provider().destroy(before)).isInstanceOf(ProviderException.class);
  }

  private void lateListing() {
    // Not in the list is not gone; and in the end it is in the list.
    contract.order(ProviderFault.LATE_LISTING);
    InstanceRef made = provider().create(request());
    assertThat(listed()).isEmpty();
    assertThat(provider().inspect(made)).isPresent();
    contract.eventually("it is listed", () -> !listed().isEmpty());
    assertThat(listed()).singleElement().extracting(Owned::instance).isEqualTo(made);
  }

  private void notOnTheseTerms(ProviderFault fault) {
    // Nothing is taken for more than was agreed, nor anything else instead of what is gone.
    InstanceRequest agreed = request();
    contract.order(fault);
    ProviderException no =
        catchThrowableOfType(ProviderException.class, () -> provider().create(agreed));
    assertThat(no)
        .isInstanceOfAny(ProviderException.OfferGone.class, ProviderException.NoCapacity.class);
    contract.eventually("nothing was left behind", () -> listed().isEmpty());
  }

  private void quota() {
    // Another provider may have room, so it is no fault of the request.
    InstanceRequest request = request();
    contract.order(ProviderFault.QUOTA_USED_UP);
    assertThatThrownBy(() -> provider().create(request))
        .isInstanceOf(ProviderException.NoCapacity.class);
    assertThat(listed()).isEmpty();
  }

  private void tooManyCalls() {
    // Surely nothing happened, and it says for how long to stay away.
    InstanceRequest request = request();
    contract.order(ProviderFault.TOO_MANY_CALLS);
    ProviderException.RateLimited no =
        catchThrowableOfType(ProviderException.RateLimited.class, () -> provider().create(request));
    assertThat(no).isNotNull();
    assertThat(no.retryAfter()).isPositive().isLessThan(LONGEST_WAIT);
    contract.endFaults();
    contract.eventually("it may be asked again", this::listIsEmpty);
  }

  private boolean listIsEmpty() {
    try {
      return listed().isEmpty();
    } catch (ProviderException.RateLimited stillTooMany) {
      return false;
    }
  }

  private void badCredentials() {
    // Said as what it is, for nothing but other credentials will help.
    InstanceRequest request = request();
    contract.order(ProviderFault.BAD_CREDENTIALS);
    assertThatThrownBy(() -> provider().create(request))
        .isInstanceOf(ProviderException.BadCredentials.class);
    assertThatThrownBy(this::listed).isInstanceOf(ProviderException.BadCredentials.class);
  }

  private void instancesLost() {
    // What was taken back, or has died, is gone or has failed: never up, never starting for ever.
    InstanceRef made = provider().create(request());
    contract.eventuallyUp(made);
    contract.order(ProviderFault.INSTANCES_LOST);
    contract.eventually(
        "the loss is seen",
        () ->
            provider()
                .inspect(made)
                .map(status -> status instanceof InstanceStatus.Failed)
                .orElse(true));
  }
}
