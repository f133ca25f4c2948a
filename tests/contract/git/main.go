// A second Git server for the contract: go-git, which shares no code with Git itself.
//
// It serves the bare repositories under a folder by smart HTTP, to everybody, on a free port of 127.0.0.1, and prints
// its address.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/go-git/go-billy/v6/osfs"
	"github.com/go-git/go-git/v6/backend"
	"github.com/go-git/go-git/v6/plumbing/transport"
)

func main() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	git := backend.New(transport.NewFilesystemLoader(osfs.New(os.Args[1]), false))
	git.ErrorLog = log.Default()
	fmt.Printf("http://%s/\n", listener.Addr())
	log.Fatal(http.Serve(listener, http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		request.Header.Set("Authorization", "anybody") // who may push is not its business, but somebody has to be named
		git.ServeHTTP(answer, request)
	})))
}
