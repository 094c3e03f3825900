# SPDX-License-Identifier: GPL-2.0
#
# The short form of harness/dsbench, which has more options: harness/dsbench COMMAND --help

DSBENCH := harness/dsbench
PYTHON := /usr/bin/python3
PYTEST = $(PYTHON) -m pytest -n 2 --dist loadgroup --durations=10 --junitxml=build/junit.xml

where = $(if $(TARGET),--target $(TARGET)) $(if $(KERNEL),--kernel $(KERNEL)) $(if $(ACCEL),--accel $(ACCEL))
how_much = $(if $(SIZES),--sizes $(SIZES)) $(if $(TRIES),--tries $(TRIES)) $(if $(PRECISION),--precision $(PRECISION))

.DEFAULT_GOAL := help
.PHONY: help plots sweep curve seed-tables plot bench-repeat bench-quality gate tunnel test test-all lint doctor modules modules_install load unload udptunctl clean distclean

help: ## this list
	@echo 'make TARGET [NAME=VALUE ...]'
	@awk -F ':.*## ' '/^[a-z_-]+:.*## / { printf "  %-16s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)
	@echo
	@echo 'TARGET=uml|qemu|host KERNEL=6.12|6.1|release ACCEL=auto|kvm|tcg|icount: where plots, sweep and bench-repeat run'
	@echo 'NO_INSTALL=1: name the missing packages instead of installing them'
	@echo 'DSBENCH_CACHE=folder: where built kernels are kept, instead of ~/.cache/dsbench'

plots: ## install what is missing, build, sweep, draw: [TARGET= KERNEL= ACCEL= SIZES="500 1000 2000 4000" TRIES=100]
	@$(DSBENCH) sweep $(where) $(how_much)
	@$(DSBENCH) plot

sweep: ## time all containers, into results/: options as for plots
	@$(DSBENCH) sweep $(where) $(how_much)

curve: ## time all containers from n = 1 to 10^6, fit, draw; goes on where it was interrupted: [TARGET= KERNEL= ACCEL= TO=]
	@$(DSBENCH) curve $(where) $(if $(TO),--to $(TO)) $(if $(TRIES),--tries $(TRIES))
	@$(DSBENCH) plot results/curve-latest.json

seed-tables: ## the tables of the report that this suite follows, and ours by its method: [TARGET= KERNEL= ACCEL= TRIES=]
	@$(DSBENCH) seed-tables $(where) $(if $(TRIES),--tries $(TRIES))

plot: ## draw the newest results, into plots/
	@$(DSBENCH) plot

bench-repeat: ## sweep twice, and compare the medians: options as for plots
	@$(DSBENCH) repeat $(where) $(how_much)

bench-quality: ## how far figures can be trusted: repeated sweeps, A/B with itself, a planted slowdown, beside their targets
	@$(DSBENCH) quality

gate: ## count instructions against the committed baseline: [KERNEL=]; exit status 3 when code costs more
	@$(DSBENCH) gate $(if $(KERNEL),--kernel $(KERNEL))

tunnel: ## latency and throughput of udptun and its peers: [TARGET= KERNEL= ROUNDS=5]; harness/dsbench tunnel --help
	@$(DSBENCH) tunnel $(where) $(if $(ROUNDS),--rounds $(ROUNDS))

test: ## every test, in guests too, each case on one kernel at least
	@$(DSBENCH) install base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) -m 'not matrix' harness/tests

test-all: ## every test on every kernel that it is for
	@$(DSBENCH) install base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) harness/tests

lint: ## check the sources: warnings, sparse, checkpatch, types
	@$(DSBENCH) lint

doctor: ## what this machine offers, and what to install
	@$(DSBENCH) doctor

modules: ## build the modules for the running kernel
	@$(DSBENCH) build --target host

modules_install: ## install them: modprobe dsbench n=4000 tries=100 works then (root)
	@$(DSBENCH) modules-install

load: ## load them from the build tree, and print the results: [N=500 TRIES=100] (root)
	@$(DSBENCH) load $(if $(N),--n $(N)) $(if $(TRIES),--tries $(TRIES))

unload: ## remove them from the running kernel (root)
	@$(DSBENCH) unload

udptunctl: ## build the tool for udptun tunnels, build/udptunctl; man harness/tools/udptunctl/udptunctl.8
	@$(DSBENCH) tools

clean: ## remove build/; harness/dsbench clean --cache removes the kernels too
	@$(DSBENCH) clean

distclean: clean ## also remove this machine's results and pictures
	@git clean -fdXq results plots harness
