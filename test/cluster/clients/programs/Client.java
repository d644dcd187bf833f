// An application in Java that knows nothing of Lazaret: java.net.http.HttpClient. Prints one JSON line a scenario; bodies in base64.
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.stream.Collectors;
import java.nio.charset.StandardCharsets;
import javax.net.ssl.SSLContext;
import javax.net.ssl.TrustManagerFactory;

public final class Client {
  private static final String MESSAGES = "https://api.anthropic.com/v1/messages";
  private static final String CHAT = "/v1/chat/completions";
  private static final HttpClient CLIENT = HttpClient.newHttpClient();

  public static void main(String[] words) throws Exception {
    ask("anthropic plain", CLIENT, MESSAGES, "CLAUDE_PLAIN");
    ask("anthropic stream", CLIENT, MESSAGES, "CLAUDE_STREAM");
    ask("openai plain", CLIENT, "https://api.openai.com" + CHAT, "GPT_PLAIN");
    ask("openai stream", CLIENT, "https://api.openai.com" + CHAT, "GPT_STREAM");
    ask("no agreement", CLIENT, "https://api.mistral.ai" + CHAT, "GPT_PLAIN");
    HttpClient own = HttpClient.newBuilder().sslContext(ownRoots()).build();
    ask("own roots", own, MESSAGES, "OWN_ROOTS_BODY");
  }

  private static void ask(String name, HttpClient client, String url, String body) throws Exception {
    HttpRequest request = HttpRequest.newBuilder(URI.create(url))
        .header("content-type", "application/json")
        .header("anthropic-version", "2023-06-01")
        .header("x-api-key", "sk-ant-api03-test")
        .POST(BodyPublishers.ofString(System.getenv(body)))
        .build();
    try {
      var answer = client.send(request, BodyHandlers.ofLines());
      String text = answer.body().collect(Collectors.joining("\n"));
      say(name, "\"status\":" + answer.statusCode() + ",\"body64\":\"" + encode(text) + "\"");
    } catch (java.io.IOException error) {
      say(name, "\"error64\":\"" + encode(String.valueOf(error.getMessage())) + "\"");
    }
  }

  /** The store that the JVM comes with, named by the program itself. */
  private static SSLContext ownRoots() throws Exception {
    KeyStore store = KeyStore.getInstance("JKS");
    try (var file = Files.newInputStream(Path.of(System.getProperty("java.home"), "lib/security/cacerts"))) {
      store.load(file, null);
    }
    var factory = TrustManagerFactory.getInstance(TrustManagerFactory.getDefaultAlgorithm());
    factory.init(store);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(null, factory.getTrustManagers(), null);
    return context;
  }

  private static String encode(String text) {
    return Base64.getEncoder().encodeToString(text.getBytes(StandardCharsets.UTF_8));
  }

  private static void say(String name, String fields) {
    System.out.println("{\"name\":\"" + name + "\"," + fields + "}");
  }
}
