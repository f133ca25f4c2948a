package com.example.rebate;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import java.io.IOException;
import java.io.InputStream;
import java.math.BigDecimal;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.util.Properties;
import java.util.concurrent.Executors;
import java.util.logging.Level;
import java.util.logging.Logger;

/**
 * The service over HTTP: / (a shop and what an order there brings), /healthz, /metrics, /version.
 *
 * <p>SIGTERM drains: it answers until nobody has asked for a moment, since those who send requests hear late that this
 * pod goes.
 */
public final class RebateServer {
  private static final Logger LOG = Logger.getLogger(RebateServer.class.getName());
  private static final BigDecimal ORDER = new BigDecimal("99.95");
  private static final BigDecimal SHARE = new BigDecimal("0.6");
  private static final long QUIET_MILLISECONDS = 300;
  private static final int QUIET_LOOKS = 16;

  private final HttpServer server;
  private final Shops shops = new Shops();
  private final Metrics metrics = new Metrics();
  private final String version = version();

  private RebateServer(InetSocketAddress address) throws IOException {
    server = HttpServer.create(address, 0);
    server.setExecutor(Executors.newFixedThreadPool(8));
    server.createContext("/", exchange -> answer(exchange, this::quote));
    server.createContext("/healthz", exchange -> send(exchange, 200, "{\"ready\":true}"));
    server.createContext("/version", exchange -> send(exchange, 200, "{\"version\":\"" + version + "\"}"));
    server.createContext("/metrics", exchange -> send(exchange, 200, metrics.text()));
  }

  /** Serves at POD_IP (all addresses, when there is none), port PORT or 8080, until SIGTERM. */
  public static void main(String[] arguments) throws IOException {
    start(environment("POD_IP", "0.0.0.0"), Integer.parseInt(environment("PORT", "8080")));
  }

  static RebateServer start(String host, int port) throws IOException {
    RebateServer service = new RebateServer(new InetSocketAddress(host, port));
    Runtime.getRuntime().addShutdownHook(new Thread(service::drain));
    service.server.start();
    LOG.info(() -> "version " + service.version + " serves at " + service.server.getAddress());
    return service;
  }

  int port() {
    return server.getAddress().getPort();
  }

  private String quote() {
    Shops.Shop shop = shops.next();
    Commission commission = Commission.of(ORDER, shop.rate(), SHARE);
    return "{\"shop\":\"%s\",\"order\":%s,\"rebate\":%s}".formatted(shop.name(), ORDER, commission.buyer());
  }

  private void answer(HttpExchange exchange, java.util.function.Supplier<String> page) throws IOException {
    long began = System.nanoTime();
    int status = 200;
    String body;
    try {
      body = page.get();
    } catch (RuntimeException error) {
      LOG.log(Level.WARNING, "no answer", error);
      status = 500;
      body = "{\"error\":\"no answer\"}";
    }
    metrics.count(status, System.nanoTime() - began);
    send(exchange, status, body);
  }

  private void send(HttpExchange exchange, int status, String body) throws IOException {
    byte[] bytes = body.getBytes(StandardCharsets.UTF_8);
    exchange.getResponseHeaders().set("x-pod", environment("HOSTNAME", ""));
    exchange.getResponseHeaders().set("x-version", environment("POD_VERSION", ""));
    exchange.getResponseHeaders().set("x-build", version);
    exchange.sendResponseHeaders(status, bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private void drain() {
    long before = -1;
    for (int look = 0; look < QUIET_LOOKS && before != metrics.total(); look++) {
      before = metrics.total();
      try {
        Thread.sleep(QUIET_MILLISECONDS);
      } catch (InterruptedException interrupted) {
        Thread.currentThread().interrupt();
        break;
      }
    }
    server.stop(0);
  }

  private static String environment(String name, String otherwise) {
    return System.getenv().getOrDefault(name, otherwise);
  }

  private static String version() {
    Properties properties = new Properties();
    try (InputStream file = RebateServer.class.getResourceAsStream("/build.properties")) {
      properties.load(file);
    } catch (IOException error) {
      throw new IllegalStateException("build.properties is missing from the jar", error);
    }
    return properties.getProperty("version");
  }
}
