package gpuaas.spi;

import java.math.BigDecimal;

/**
 * An amount of money in millionths of the currency's unit. Never a floating-point number.
 *
 * @param currency ISO 4217
 */
public record Money(long micros, String currency) {

  /** US dollars, from a decimal such as {@code 4.50}. */
  public static Money usd(String decimal) {
    return new Money(new BigDecimal(decimal).movePointRight(6).longValueExact(), "USD");
  }

  /** So many times this. */
  public Money times(long count) {
    return new Money(Math.multiplyExact(micros, count), currency);
  }
}
