package main

import (
	"crypto/sha256"
	"crypto/tls"
	"encoding/hex"
	"fmt"
	"io"
	"net"
	"net/http"

	"github.com/coder/websocket"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/interop"
	"google.golang.org/grpc/interop/grpc_testing"
)

// serve answers until it is ended. The folder holds what a kubelet writes of a Secret of kind kubernetes.io/tls.
func serve(folder string) {
	certificate, err := tls.LoadX509KeyPair(folder+"/tls.crt", folder+"/tls.key")
	check(err)
	secure := credentials.NewServerTLSFromCert(&certificate)
	go serveGrpc(":50051", grpc.NewServer())
	go serveGrpc(":8443", grpc.NewServer(grpc.Creds(secure)))
	go serveBanner(":7000")
	web := &http.Server{
		Addr:      ":8444",
		Handler:   http.HandlerFunc(serveWeb),
		TLSConfig: &tls.Config{Certificates: []tls.Certificate{certificate}},
	}
	check(web.ListenAndServeTLS("", ""))
}

func serveGrpc(address string, server *grpc.Server) {
	grpc_testing.RegisterTestServiceServer(server, interop.NewTestServer())
	listener, err := net.Listen("tcp", address)
	check(err)
	check(server.Serve(listener))
}

// serveWeb says back what it is told by WebSocket, and of anything else how much it was and its sum.
func serveWeb(answer http.ResponseWriter, request *http.Request) {
	if request.Header.Get("Upgrade") == "" {
		sum := sha256.New()
		size, err := io.Copy(sum, request.Body)
		if err == nil {
			fmt.Fprintf(answer, "%s %s %d %s", request.Proto, request.Method, size, hex.EncodeToString(sum.Sum(nil)))
		}
		return
	}
	socket, err := websocket.Accept(answer, request, nil)
	if err != nil {
		return
	}
	defer socket.CloseNow()
	socket.SetReadLimit(1 << 20)
	for {
		kind, message, err := socket.Read(request.Context())
		if err != nil || socket.Write(request.Context(), kind, message) != nil {
			return
		}
	}
}

// serveBanner speaks first and says back each piece as it was read. Nothing ends with a line.
func serveBanner(address string) {
	listener, err := net.Listen("tcp", address)
	check(err)
	for {
		socket, err := listener.Accept()
		check(err)
		go func() {
			defer socket.Close()
			fmt.Fprint(socket, "READY")
			_, _ = io.Copy(socket, socket)
		}()
	}
}
