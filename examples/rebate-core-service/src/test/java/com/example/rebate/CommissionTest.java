package com.example.rebate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.BigRange;
import net.jqwik.api.constraints.Scale;
import org.junit.jupiter.api.Test;

/** The rule of Commission, by examples and for all orders. */
class CommissionTest {
  @Test
  void halfCentGoesUpAndTheBuyersPartDown() {
    Commission commission = Commission.of(new BigDecimal("0.30"), new BigDecimal("0.05"), new BigDecimal("0.6"));

    assertEquals(new BigDecimal("0.02"), commission.total());
    assertEquals(new BigDecimal("0.01"), commission.buyer());
    assertEquals(new BigDecimal("0.01"), commission.ours());
  }

  @Test
  void whatCanNotBeIsRefused() {
    BigDecimal one = BigDecimal.ONE;
    assertThrows(IllegalArgumentException.class, () -> Commission.of(one.negate(), one, one));
    assertThrows(IllegalArgumentException.class, () -> Commission.of(new BigDecimal("0.001"), one, one));
    assertThrows(IllegalArgumentException.class, () -> Commission.of(one, BigDecimal.TEN, one));
    assertThrows(IllegalArgumentException.class, () -> Commission.of(one, one, BigDecimal.TEN));
  }

  @Property
  void partsAreTheWholeAndNobodyPays(
      @ForAll @BigRange(min = "0", max = "1000000") @Scale(2) BigDecimal amount,
      @ForAll @BigRange(min = "0", max = "1") @Scale(4) BigDecimal rate,
      @ForAll @BigRange(min = "0", max = "1") @Scale(4) BigDecimal share) {
    Commission commission = Commission.of(amount, rate, share);

    assertEquals(commission.total(), commission.buyer().add(commission.ours()));
    assertTrue(commission.buyer().signum() >= 0 && commission.ours().signum() >= 0);
    assertTrue(commission.total().compareTo(amount) <= 0);
  }

  @Property
  void lessThanHalfACentIsLost(
      @ForAll @BigRange(min = "0", max = "1000000") @Scale(2) BigDecimal amount,
      @ForAll @BigRange(min = "0", max = "1") @Scale(4) BigDecimal rate) {
    BigDecimal off = Commission.of(amount, rate, BigDecimal.ONE).total().subtract(amount.multiply(rate)).abs();

    assertTrue(off.compareTo(new BigDecimal("0.005")) <= 0);
  }
}
