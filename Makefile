# SPDX-License-Identifier: GPL-2.0
#
# The short form of harness/dsbench, which has more options: harness/dsbench COMMAND --help

DSBENCH := harness/dsbench
PYTHON := /usr/bin/python3
PYTEST = $(PYTHON) -m pytest -n 2 --dist loadgroup --durations=10 --junitxml=build/junit.xml

where = $(if $(TARGET),--target $(TARGET)) $(if $(KERNEL),--kernel $(KERNEL)) $(if $(ACCEL),--accel $(ACCEL))
how_much = $(if $(SIZES),--sizes $(SIZES)) $(if $(TRIES),--tries $(TRIES)) $(if $(PRECISION),--precision $(PRECISION))

.DEFAULT_GOAL := help
.PHONY: help plots sweep curve seed-tables plot bench-repeat bench-quality gate tunnel test test-all test-mutants lint doctor modules modules_install load unload udptunctl clean distclean

help: ## list the targets and their variables
	@echo 'make TARGET [NAME=VALUE ...]'
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'Where plots, sweep, curve, seed-tables, bench-repeat and tunnel run:'
	@echo '  TARGET=uml|qemu|host  KERNEL=6.1|6.12|newest|release  ACCEL=auto|kvm|tcg|icount'
	@echo 'How much plots, sweep and bench-repeat measure:'
	@echo '  SIZES="500 1000 2000 4000"  TRIES=100  PRECISION=1 (percent; 0: take all tries)'
	@echo 'For every target:'
	@echo '  NO_INSTALL=1          name the missing packages instead of installing them'
	@echo '  DSBENCH_CACHE=folder  keep built kernels there instead of in ~/.cache/dsbench'
	@echo '  DSBENCH_OUTPUT=folder put build/, results/ and plots/ there instead of here'
	@echo '  CC=gcc-12, LLVM=1     compiler of the modules: of the kind that built the kernel'
	@echo 'harness/dsbench COMMAND --help has all options.'

plots: ## install missing packages, build, time all containers and tunnels, draw
	@$(DSBENCH) sweep --draw $(where) $(how_much)

sweep: ## time all containers and tunnels, into results/
	@$(DSBENCH) sweep $(where) $(how_much)

curve: ## time n = 1 to 10^6, fit and draw; resumes after an interruption: [TO= TRIES=]
	@$(DSBENCH) curve $(where) $(if $(TO),--to $(TO)) $(if $(TRIES),--tries $(TRIES))
	@$(DSBENCH) plot "$${DSBENCH_OUTPUT:-.}/results/curve-latest.json"

seed-tables: ## print the tables of the report that this suite follows, and ours: [TRIES=]
	@$(DSBENCH) seed-tables $(where) $(if $(TRIES),--tries $(TRIES))

plot: ## draw the newest results, into plots/
	@$(DSBENCH) plot

bench-repeat: ## sweep twice, and compare the medians
	@$(DSBENCH) repeat $(where) $(how_much)

bench-quality: ## measure how far the figures of this machine can be trusted
	@$(DSBENCH) quality

gate: ## count instructions; status 3 when code costs more than its baseline: [KERNEL=]
	@$(DSBENCH) gate $(if $(KERNEL),--kernel $(KERNEL))

tunnel: ## measure latency and throughput of udptun and its peers: [ROUNDS=5]
	@$(DSBENCH) tunnel $(where) $(if $(ROUNDS),--rounds $(ROUNDS))

test: ## every test, in guests too, each case on one kernel at least
	@$(DSBENCH) install base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) -m 'not matrix' harness/tests

test-all: ## every test on every kernel that it is for
	@$(DSBENCH) install base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) harness/tests

test-mutants: ## plant faults one at a time: which test notices each? (20 minutes)
	@$(DSBENCH) mutants

lint: ## check the sources: warnings, sparse, checkpatch, types
	@$(DSBENCH) lint

doctor: ## list what this machine offers, and what to install
	@$(DSBENCH) doctor

modules: ## build the modules for the running kernel
	@$(DSBENCH) build --target host

modules_install: ## install the modules for the running kernel (root)
	@$(DSBENCH) modules-install

load: ## load the modules from the build tree, print the results: [N=500 TRIES=100] (root)
	@$(DSBENCH) load $(if $(N),--n $(N)) $(if $(TRIES),--tries $(TRIES))

unload: ## remove the modules from the running kernel (root)
	@$(DSBENCH) unload

udptunctl: ## build build/udptunctl, the tool for udptun tunnels
	@$(DSBENCH) tools

clean: ## remove build/; harness/dsbench clean --cache removes the kernels, too
	@$(DSBENCH) clean

distclean: clean ## clean, and remove the results and pictures of this machine
	@find results -mindepth 1 -maxdepth 1 ! -name reference ! -name README.md -exec rm -r {} +
	@rm -f plots/*.svg plots/*.png
	@find harness -name __pycache__ -prune -exec rm -r {} +
