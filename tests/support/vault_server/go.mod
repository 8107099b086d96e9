// Built by `python -m tools.vault`, which puts a copy of Vault's module beside this file; for tests only, never shipped.
module ferrokafka/tests/vault_server

go 1.25.3

require github.com/hashicorp/vault v1.21.4

replace github.com/hashicorp/vault => ./vault
