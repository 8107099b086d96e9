// SPDX-License-Identifier: Apache-2.0

// Command vault_server is HashiCorp Vault's own core with its transit engine and AppRole logins, in memory and unsealed:
// what the tests of the Vault driver need of the real thing. It prints the address it listens at, and ends with its
// standard input.
package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"flag"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"os"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/vault/builtin/credential/approle"
	"github.com/hashicorp/vault/builtin/logical/transit"
	"github.com/hashicorp/vault/helper/namespace"
	vaulthttp "github.com/hashicorp/vault/http"
	"github.com/hashicorp/vault/internalshared/configutil"
	"github.com/hashicorp/vault/sdk/helper/consts"
	"github.com/hashicorp/vault/sdk/logical"
	"github.com/hashicorp/vault/sdk/physical/inmem"
	"github.com/hashicorp/vault/vault"
)

// engines is the catalogue of plugins that this Vault has built in.
type engines map[string]logical.Factory

func (e engines) Get(name string, _ consts.PluginType) (func() (interface{}, error), bool) {
	factory, known := e[name]
	return func() (interface{}, error) { return factory, nil }, known
}

func (e engines) Contains(name string, _ consts.PluginType) bool {
	_, known := e[name]
	return known
}

func (e engines) Keys(consts.PluginType) []string {
	names := make([]string, 0, len(e))
	for name := range e {
		names = append(names, name)
	}
	return names
}

func (e engines) DeprecationStatus(string, consts.PluginType) (consts.DeprecationStatus, bool) {
	return consts.Supported, true
}

func (e engines) IsBuiltinEntPlugin(string, consts.PluginType) bool { return false }

func main() {
	token := flag.String("token", "", "the root token")
	certificate := flag.String("certificate", "", "file of a certificate: HTTPS")
	key := flag.String("key", "", "file of its key")
	clientCA := flag.String("client-ca", "", "file of the CA that clients' certificates must be signed by")
	flag.Parse()

	listener, err := net.Listen("tcp", "127.0.0.1:0")
	check(err)
	address := listener.Addr().String()
	handler := unsealed(*token, address)
	scheme := "http"
	if *certificate != "" {
		scheme = "https"
		listener = tls.NewListener(listener, secured(*certificate, *key, *clientCA))
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	fmt.Printf("%s://%s\n", scheme, address)
	check(http.Serve(listener, handler))
}

func unsealed(token, address string) http.Handler {
	logger := hclog.New(&hclog.LoggerOptions{Level: hclog.Warn, Output: os.Stderr})
	storage, err := inmem.NewInmem(nil, logger)
	check(err)
	secrets := engines{"transit": transit.Factory}
	logins := engines{"approle": approle.Factory}
	core, err := vault.NewCore(&vault.CoreConfig{
		Physical:           storage,
		DisableMlock:       true,
		Logger:             logger,
		RedirectAddr:       "http://" + address,
		BuiltinRegistry:    engines{"transit": transit.Factory, "approle": approle.Factory},
		LogicalBackends:    secrets,
		CredentialBackends: logins,
	})
	check(err)
	ctx := namespace.RootContext(context.Background())
	made, err := core.Initialize(ctx, &vault.InitParams{
		BarrierConfig: &vault.SealConfig{SecretShares: 1, SecretThreshold: 1},
	})
	check(err)
	_, err = core.Unseal(made.SecretShares[0])
	check(err)
	_, err = core.HandleRequest(ctx, &logical.Request{
		ID:          "root-token",
		Operation:   logical.UpdateOperation,
		ClientToken: made.RootToken,
		Path:        "auth/token/create",
		Data:        map[string]interface{}{"id": token, "policies": []string{"root"}, "no_parent": true},
	})
	check(err)
	return vaulthttp.Handler.Handler(&vault.HandlerProperties{
		Core:           core,
		ListenerConfig: &configutil.Listener{Address: address},
	})
}

func secured(certificate, key, clientCA string) *tls.Config {
	pair, err := tls.LoadX509KeyPair(certificate, key)
	check(err)
	config := &tls.Config{Certificates: []tls.Certificate{pair}}
	if clientCA != "" {
		text, err := os.ReadFile(clientCA)
		check(err)
		config.ClientCAs = x509.NewCertPool()
		config.ClientCAs.AppendCertsFromPEM(text)
		config.ClientAuth = tls.RequireAndVerifyClientCert
	}
	return config
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
