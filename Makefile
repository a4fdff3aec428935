# Sinew: `make demo` to see it work, `make test` to check it. `make help` lists everything.
.DEFAULT_GOAL := help
SWIFT ?= swift
BUILD := $(SWIFT) build -c release
SWIFT_SOURCES := Sources Tests Package.swift

.PHONY: help deps build-deps build demo test test-tools sim check lint format tidy generated external bench fuzz chaos release clean

help: ## List the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

deps: ## Install the Debian packages that building and testing need, when some are missing
	@tools/install_dependencies.sh test

build-deps:
	@tools/install_dependencies.sh build

build: build-deps ## Build the sinew command (release)
	$(BUILD) --product sinew

demo: build ## Two people, real motion, noise and a lost arm, through broker and two workers; writes out/
	.build/release/sinew demo -o out

test: deps ## Build everything and run all tests
	$(BUILD) --build-tests
	$(SWIFT) test -c release --skip-build
	tools/tests.sh

test-tools: deps build ## The tests that are written in Python: browser, clients of other languages, deploy/ (part of test)
	tools/tests.sh

SEEDS ?= 10000
FROM ?= 1
sim: deps ## Simulate broker, workers and clients under faults: SEEDS=n runs from seed FROM=m on, TRACE=1 tells all
	$(BUILD) --build-tests
	$(if $(TRACE),SINEW_SIMULATION_TRACE=1) SINEW_SIMULATION_SEEDS="$(FROM) $(SEEDS)" $(SWIFT) test -c release --skip-build --filter 'as many seeds as wanted'

check: lint test ## What CI runs

lint: format tidy generated ## Formatting, tidy rules, generated code up to date

format:
	$(SWIFT) format lint --strict --recursive $(SWIFT_SOURCES)

tidy:
	@tools/install_dependencies.sh check
	python3 tools/tidy/tidy.py
	python3 -m unittest discover -q -s tools/tidy

generated:
	@tools/install_dependencies.sh check
	tools/generator/generate.sh --check

external: build ## Build and run a package that uses SinewClient as a library
	tools/run_external_package.sh

bench: ## Build the benchmarks; Benchmarks/README.md says how to run them
	@tools/install_dependencies.sh bench
	$(BUILD) --package-path Benchmarks

fuzz: deps ## Fuzz everything that reads bytes of strangers, SECONDS=60 each (libFuzzer, AddressSanitizer)
	tools/fuzz/fuzz.sh $(or $(SECONDS),60)

chaos: build ## Kill, stop and cut off real processes, KILLS=300 times, and compare every result (tools/chaos/requirements.txt)
	python3 tools/chaos/chaos.py --sinew .build/release/sinew --kills $(or $(KILLS),300)

release: build-deps ## A binary with the Swift runtime inside, in out/release
	$(BUILD) --product sinew --static-swift-stdlib --scratch-path .build/static
	rm -rf out/release && mkdir -p out/release
	strip -o out/release/sinew .build/static/release/sinew
	cp -R .build/static/release/*.resources out/release/
	@du -sh out/release

clean: ## Remove everything that was built
	rm -rf .build out Tests/ExternalPackage/.build tools/generator/.build Benchmarks/.build \
		tools/fuzz/.build tools/fuzz/.seeds tools/fuzz/.corpus
