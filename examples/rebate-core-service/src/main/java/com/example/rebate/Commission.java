package com.example.rebate;

import java.math.BigDecimal;
import java.math.RoundingMode;

/**
 * What a shop pays for an order, and how the buyer and we share it.
 *
 * <p>The rule: the commission is the order's amount times the shop's rate, rounded to whole cents, half a cent up. The
 * buyer gets their share of it, rounded down; the rest is ours. So the two parts are the commission to the cent.
 *
 * @param total what the shop pays
 * @param buyer what the buyer gets back
 * @param ours what stays
 */
public record Commission(BigDecimal total, BigDecimal buyer, BigDecimal ours) {
  private static final int CENTS = 2;

  /**
   * Applies the rule.
   *
   * @param amount of the order, in whole cents, not negative
   * @param rate the shop's, 0 to 1
   * @param share the buyer's part of the commission, 0 to 1
   * @throws IllegalArgumentException when one of them is out of its range
   */
  public static Commission of(BigDecimal amount, BigDecimal rate, BigDecimal share) {
    if (amount.signum() < 0 || amount.stripTrailingZeros().scale() > CENTS) {
      throw new IllegalArgumentException("an amount is in whole cents and not negative, not " + amount);
    }
    BigDecimal total = amount.multiply(part("rate", rate)).setScale(CENTS, RoundingMode.HALF_UP);
    BigDecimal buyer = total.multiply(part("share", share)).setScale(CENTS, RoundingMode.DOWN);
    return new Commission(total, buyer, total.subtract(buyer));
  }

  private static BigDecimal part(String name, BigDecimal value) {
    if (value.signum() < 0 || value.compareTo(BigDecimal.ONE) > 0) {
      throw new IllegalArgumentException("the " + name + " is from 0 to 1, not " + value);
    }
    return value;
  }
}
