package com.example.rebate;

import java.util.Map;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.LongAdder;

/** Counts answers by their status, and writes the counts as Prometheus reads them. */
public final class Metrics {
  private final Map<Integer, LongAdder> answers = new ConcurrentSkipListMap<>();
  private final LongAdder nanoseconds = new LongAdder();

  /**
   * Counts an answer.
   *
   * @param status of HTTP
   * @param took nanoseconds
   */
  public void count(int status, long took) {
    answers.computeIfAbsent(status, key -> new LongAdder()).increment();
    nanoseconds.add(took);
  }

  /** Gives how many answers there were. */
  public long total() {
    return answers.values().stream().mapToLong(LongAdder::sum).sum();
  }

  /** Writes everything in Prometheus' text format. */
  public String text() {
    StringBuilder text = new StringBuilder("# TYPE http_requests_total counter\n");
    answers.forEach(
        (status, count) ->
            text.append("http_requests_total{status=\"").append(status).append("\"} ").append(count).append('\n'));
    text.append("# TYPE http_request_seconds summary\nhttp_request_seconds_sum ").append(nanoseconds.sum() / 1e9);
    return text.append("\nhttp_request_seconds_count ").append(total()).append('\n').toString();
  }
}
