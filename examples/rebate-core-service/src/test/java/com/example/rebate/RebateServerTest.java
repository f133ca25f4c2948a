package com.example.rebate;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import org.junit.jupiter.api.Test;

/** The service as a client sees it. */
class RebateServerTest {
  private final RebateServer service;

  RebateServerTest() throws IOException {
    service = RebateServer.start("127.0.0.1", 0);
  }

  @Test
  void quotesAnOrderAndCountsIt() throws Exception {
    assertEquals("{\"shop\":\"books\",\"order\":99.95,\"rebate\":2.40}", get("/").body());
    assertTrue(get("/metrics").body().contains("http_requests_total{status=\"200\"} 1\n"));
  }

  @Test
  void saysThatItIsReadyAndWhichBuildItIs() throws Exception {
    assertEquals(200, get("/healthz").statusCode());
    assertTrue(get("/version").body().startsWith("{\"version\":\""));
  }

  private HttpResponse<String> get(String path) throws IOException, InterruptedException {
    URI uri = URI.create("http://127.0.0.1:" + service.port() + path);
    return HttpClient.newHttpClient().send(HttpRequest.newBuilder(uri).build(), HttpResponse.BodyHandlers.ofString());
  }
}
