package main

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/interop/grpc_testing"
)

func rootsOf(file string) *tls.Config {
	pem, err := os.ReadFile(file)
	check(err)
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(pem)
	return &tls.Config{RootCAs: roots}
}

// callGrpc runs the interoperability tests of gRPC itself; each of them ends this program when it fails.
// roots: a file, or "clear" for HTTP/2 without TLS.
func callGrpc(ctx context.Context, target, roots string) []string {
	secure := insecure.NewCredentials()
	if roots != "clear" {
		secure = credentials.NewTLS(rootsOf(roots))
	}
	connection, err := grpc.NewClient(target, grpc.WithTransportCredentials(secure))
	check(err)
	defer connection.Close()
	client := grpc_testing.NewTestServiceClient(connection)
	interop.DoEmptyUnaryCall(ctx, client)
	interop.DoLargeUnaryCall(ctx, client)
	interop.DoClientStreaming(ctx, client)
	interop.DoServerStreaming(ctx, client)
	interop.DoPingPong(ctx, client)
	interop.DoCancelAfterFirstResponse(ctx, client)
	interop.DoCustomMetadata(ctx, client)
	interop.DoStatusCodeAndMessage(ctx, client)
	return []string{"unary", "large", "client stream", "server stream", "ping pong", "cancelled", "metadata", "status"}
}

// callWebsocket sends a text and 64 KiB of bytes. It says what came back of the text, and whether the bytes did.
func callWebsocket(ctx context.Context, url, roots, text string) any {
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: rootsOf(roots)}}
	socket, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{HTTPClient: client})
	check(err)
	socket.SetReadLimit(1 << 20)
	exchange := func(kind websocket.MessageType, message []byte) []byte {
		check(socket.Write(ctx, kind, message))
		got, answer, err := socket.Read(ctx)
		check(err)
		if got != kind {
			return nil
		}
		return answer
	}
	said := exchange(websocket.MessageText, []byte(text))
	bulk := bytes.Repeat([]byte{0, 1, 2, 255}, 1<<14)
	back := exchange(websocket.MessageBinary, bulk)
	check(socket.Close(websocket.StatusNormalClosure, ""))
	return map[string]any{"text": string(said), "bytes": bytes.Equal(back, bulk)}
}

// upload posts as many bytes as are asked for and says what the server said.
func upload(ctx context.Context, url, roots, size string) string {
	count, err := strconv.Atoi(size)
	check(err)
	transport := &http.Transport{TLSClientConfig: rootsOf(roots), ForceAttemptHTTP2: true}
	body := bytes.NewReader(bytes.Repeat([]byte("Maria Gonzalez, "), count/16))
	request, err := http.NewRequestWithContext(ctx, "POST", url, body)
	check(err)
	answer, err := (&http.Client{Transport: transport}).Do(request)
	check(err)
	text, err := io.ReadAll(answer.Body)
	check(err)
	return string(text)
}

// callBanner waits for the server's first words and says each of its own only when the one before it came back.
func callBanner(address string, words []string) string {
	socket, err := net.Dial("tcp", address)
	check(err)
	heard := read(socket, len("READY"))
	for _, word := range words {
		_, err = io.WriteString(socket, word)
		check(err)
		heard += read(socket, len(word))
	}
	return strings.TrimPrefix(heard, "READY")
}

func read(from io.Reader, count int) string {
	part := make([]byte, count)
	_, err := io.ReadFull(from, part)
	check(err)
	return string(part)
}
