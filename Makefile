# Build output lies outside the checkout, so that a fresh clone finds librdkafka built.
ifeq ($(origin CARGO_TARGET_DIR),undefined)
export CARGO_TARGET_DIR := $(or $(XDG_CACHE_HOME),$(HOME)/.cache)/ferrokafka/target
endif

PYTHON := .venv/bin/python

.PHONY: help dev demo test check bench
.DEFAULT_GOAL := help

help:
	@echo 'make dev    .venv with this package built and installed in place'
	@echo 'make demo   a real data set through Kafka and back, on an embedded cluster; BOOTSTRAP=host:port for a real one, FORMAT=json or protobuf for another than avro'
	@echo 'make test   all tests: unit, embedded cluster, real broker; PYTEST="-k name" chooses'
	@echo 'make check  formatting, lint, types'
	@echo 'make bench  side by side with confluent-kafka'

dev:
	@sh tools/python.sh -m tools.dev

demo: dev
	@$(PYTHON) -m confluent_kafka demo $(if $(FORMAT),--format $(FORMAT)) $(if $(BOOTSTRAP),--bootstrap-servers $(BOOTSTRAP))

test: dev
	@$(PYTHON) -m tools.test $(PYTEST)

check: dev
	@$(PYTHON) -m tools.check

bench: dev
	@$(PYTHON) benchmarks/run.py $(BENCH)
