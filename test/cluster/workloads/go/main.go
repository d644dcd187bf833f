// Both sides of traffic that knows nothing of Lazaret: gRPC by its own interoperability tests, WebSocket, large uploads, client-go, and a
// text protocol without line ends whose server speaks first. Clients print one JSON value, or end with an error.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"
	"time"
)

func main() {
	log.SetFlags(0)
	ctx, stop := context.WithTimeout(context.Background(), 90*time.Second)
	defer stop()
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "serve":
		serve(arguments[0])
	case "grpc":
		say(callGrpc(ctx, arguments[0], arguments[1]))
	case "websocket":
		say(callWebsocket(ctx, arguments[0], arguments[1], arguments[2]))
	case "upload":
		say(upload(ctx, arguments[0], arguments[1], arguments[2]))
	case "banner":
		say(callBanner(arguments[0], arguments[1:]))
	case "kubernetes":
		say(callKubernetes(ctx, arguments[0]))
	default:
		log.Fatalf("no command %q", os.Args[1])
	}
}

func say(value any) {
	line, err := json.Marshal(value)
	check(err)
	fmt.Println(string(line))
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
