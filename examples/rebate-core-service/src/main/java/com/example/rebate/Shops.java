package com.example.rebate;

import java.math.BigDecimal;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/** The shops and their rates; the front page shows one after the other. */
public final class Shops {
  /** A shop. */
  public record Shop(String name, BigDecimal rate) {}

  private static final List<Shop> ALL =
      List.of(
          shop("books", "0.04"), shop("shoes", "0.075"), shop("travel", "0.023"), shop("garden", "0.05"),
          shop("music", "0.0333"), shop("tools", "0.061"), shop("tea", "0.08"), shop("coffee", "0.085"),
          shop("bicycles", "0.02"), shop("toys", "0.055"), shop("lamps", "0.066"), shop("paper", "0.01"),
          shop("wool", "0.07"), shop("maps", "0.045"), shop("soap", "0.09"), shop("chairs", "0.035"),
          shop("pens", "0.0125"), shop("bread", "0.015"), shop("games", "0.05"), shop("film", "0.03"));

  private final AtomicInteger shown = new AtomicInteger();

  /** Gives the shop whose turn it is. */
  public Shop next() {
    return ALL.get(Math.floorMod(shown.getAndIncrement(), ALL.size()));
  }

  private static Shop shop(String name, String rate) {
    return new Shop(name, new BigDecimal(rate));
  }
}
