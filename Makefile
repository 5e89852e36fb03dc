# The commands of a developer and of CI; `make` lists them. What they fetch is kept in .cache, what they build in
# target; each long step says what it does and how long it took.

CARGO ?= cargo
target := $(or $(CARGO_TARGET_DIR),target)
linters := .cache/linters/bin
scripts := .ci/run $(wildcard tests/setup/*.sh tests/support/*.sh tests/brokers/tls/*.sh)
# The test targets that start no broker.
fast := $(filter-out brokers,$(shell sed -n '/^\[\[test\]\]/,/^$$/s/^name = "\(.*\)"/\1/p' Cargo.toml))

# $(call timed,WHAT,COMMAND): one step with its time; no comma may stand in either.
timed = @echo '== $(1)'; started=$$(date +%s); $(2) && echo "== $(1): $$(($$(date +%s) - started)) s"

# Debug information goes into a file beside the binary, which a backtrace and a debugger find by its name.
split = objcopy --only-keep-debug hookway hookway.debug && objcopy --strip-debug --add-gnu-debuglink=hookway.debug hookway

.PHONY: help setup-build setup-test setup-check build check audit test test-fast test-sdks test-vectors test-rolling test-outage fuzz demo bench clean-cache

help: ## lists these commands
	@sed -n 's/^\([a-z-]*\):.* ## /\1|/p' $(MAKEFILE_LIST) | while IFS='|' read -r name what; do printf '  make %-12s %s\n' "$$name" "$$what"; done

setup-build: ## sees to a C compiler, make and perl
	@tests/setup/system.sh build

setup-test: ## sees to all that the tests need: also Java, Python, Kafka, NATS
	@tests/setup/system.sh test
	@tests/setup/kafka.sh
	@tests/setup/python.sh test
	@tests/setup/prometheus.sh

setup-check: ## sees to the linters
	@tests/setup/system.sh test
	@tests/setup/python.sh check
	@tests/setup/prometheus.sh

build: setup-build ## builds the release binary, target/release/hookway, and hookway.debug beside it (the first time takes minutes)
	$(call timed,release build,$(CARGO) build --release --locked)
	@cd $(target)/release && { [ hookway.debug -nt hookway ] || { $(split) && touch hookway.debug; }; }

check: setup-check ## format, lints, documentation, scripts, spelling, dependencies, the chart, the image
	$(call timed,format,$(CARGO) fmt --check)
	$(call timed,lints,$(CARGO) clippy --all-targets --locked -- -D warnings)
	$(call timed,documentation,RUSTDOCFLAGS=-Dwarnings $(CARGO) doc --no-deps --document-private-items --locked --quiet)
	$(call timed,shell scripts,$(linters)/shellcheck --external-sources $(scripts))
	$(call timed,spelling,$(linters)/typos)
	$(call timed,dependencies,$(linters)/cargo-deny --log-level error --config .deny.toml check --hide-inclusion-graph bans licenses sources)
ifneq ($(wildcard deploy/check.sh),)
	$(call timed,debug build,$(CARGO) build --locked)
	$(call timed,chart and image,HOOKWAY_BIN=$(target)/debug/hookway deploy/check.sh)
endif

audit: setup-check ## asks the public database of advisories (needs the network)
	$(call timed,advisories,$(linters)/cargo-deny --config .deny.toml check advisories)

test: setup-test ## runs every test, also those against a real Kafka and NATS
	$(call timed,tests,$(CARGO) test --locked --no-fail-fast)

test-fast: setup-build ## runs the tests that start no broker
	$(call timed,tests without brokers,$(CARGO) test --locked --lib --bins $(fast:%=--test %))
	$(call timed,examples in the documentation,$(CARGO) test --locked --doc)

test-rolling: setup-build ## restarts two processes behind a balancer, under 10 000 requests
	HOOKWAY_ROLLING=10000 cargo test --locked --test it -- a_rolling_restart

test-outage: setup-test ## lives through an outage of MINUTES (60) as LIKE MAGIC would, with a spool and without, in real time
	$(call timed,debug build,$(CARGO) build --locked)
	.cache/venv/bin/python tests/simulation/outage.py $(abspath $(target))/debug/hookway .cache/venv/bin/nats-server $(or $(MINUTES),60)

test-sdks: setup-build ## sends what the vendors' own SDKs sign to a running Hookway (fetches the SDKs)
	@tests/setup/system.sh test
	@tests/setup/python.sh sdks
	$(call timed,debug build,$(CARGO) build --locked)
	$(call timed,requests of the vendors' SDKs,.cache/sdks/bin/python tests/sdks/senders.py $(abspath $(target))/debug/hookway)

test-vectors: setup-build ## holds `hookway explain` against published requests; HOOKWAY_VECTORS names their folder
	$(call timed,debug build,$(CARGO) build --locked)
	$(call timed,published requests,python3 $(HOOKWAY_VECTORS)/run.py --bin $(target)/debug/hookway)

fuzz: setup-build ## fuzzes every parser for SECONDS each (nightly Rust and cargo-fuzz); what it finds goes into the corpus
	@tests/setup/fuzz.sh $(or $(SECONDS),60)

demo: ## shows Hookway at work on this machine, without a broker (DEMO_EXIT=1: and ends by itself)
	@tests/setup/demo.sh

bench: setup-test ## measures Hookway beside a peer in Go and bare handlers: a quiet machine and 45 minutes; ARGS=--quick only tries it
	@$(CARGO) bench --locked --bench bench -- $(ARGS)

clean-cache: ## removes what the other commands fetched
	rm -rf .cache
