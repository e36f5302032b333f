// Command cqlsh runs statements like the cqlsh of the image that this stands
// in for: cqlsh [--ssl] [-u ROLE -p PASSWORD] -e STATEMENTS [HOST PORT]. It
// knows no other options. With --ssl, SSL_CERTFILE names the certificates that it
// trusts; names are not verified.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"os"
	"strings"
	"time"

	"github.com/gocql/gocql"
)

func main() {
	encrypted := flag.Bool("ssl", false, "encrypt")
	role := flag.String("u", "", "role")
	password := flag.String("p", "", "password")
	statements := flag.String("e", "", "statements, each but the last with a semicolon")
	flag.Parse()
	address := "127.0.0.1:9042"
	if flag.NArg() > 0 {
		address = net.JoinHostPort(flag.Arg(0), flag.Arg(1))
	}
	if err := run(*encrypted, *role, *password, *statements, address); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(encrypted bool, role, password, statements, address string) error {
	cluster := gocql.NewCluster(address)
	cluster.DisableInitialHostLookup = true
	cluster.Timeout, cluster.ConnectTimeout = 10*time.Second, 5*time.Second
	cluster.Logger = log.New(io.Discard, "", 0)
	if role != "" {
		cluster.Authenticator = gocql.PasswordAuthenticator{Username: role, Password: password}
	}
	if encrypted {
		config, err := trusting(os.Getenv("SSL_CERTFILE"))
		if err != nil {
			return err
		}
		cluster.SslOpts = &gocql.SslOptions{Config: config}
	}
	session, err := cluster.CreateSession()
	if err != nil {
		return err
	}
	defer session.Close()
	var failures []error
	for statement := range strings.SplitSeq(statements, ";") {
		if statement = strings.TrimSpace(statement); statement != "" {
			failures = append(failures, session.Query(statement).Exec())
		}
	}
	return errors.Join(failures...)
}

func trusting(file string) (*tls.Config, error) {
	certificates, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	authorities := x509.NewCertPool()
	authorities.AppendCertsFromPEM(certificates)
	return &tls.Config{
		MinVersion:         tls.VersionTLS12,
		InsecureSkipVerify: true, // VerifyConnection verifies the chain
		VerifyConnection: func(state tls.ConnectionState) error {
			_, err := state.PeerCertificates[0].Verify(x509.VerifyOptions{Roots: authorities})
			return err
		},
	}, nil
}
