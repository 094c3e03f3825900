# SPDX-License-Identifier: GPL-2.0
#
# The short form of harness/dsbench, which has more options: harness/dsbench COMMAND --help

DSBENCH := harness/dsbench
PYTHON := /usr/bin/python3
PYTEST = $(PYTHON) -m pytest -n 2 --dist loadgroup --durations=10 --junitxml=build/junit.xml

# The variables that a target takes, and the option of harness/dsbench that each one becomes.
where := TARGET KERNEL ACCEL
how_much := SIZES TRIES PRECISION
takes_plots := $(where) $(how_much)
takes_sweep := $(where) $(how_much)
takes_curve := $(where) TO TRIES
takes_seed-tables := $(where) TRIES
takes_bench-repeat := $(where) $(how_much)
takes_gate := KERNEL
takes_tunnel := $(where) ROUNDS
takes_rust := TARGET SIZES TRIES
takes_load := N TRIES
option_TARGET := --target
option_KERNEL := --kernel
option_ACCEL := --accel
option_SIZES := --sizes
option_TRIES := --tries
option_PRECISION := --precision
option_TO := --to
option_ROUNDS := --rounds
option_N := --n
options = $(strip $(foreach name,$(takes_$@),$(if $($(name)),$(option_$(name)) $($(name)))))

# make ignores a variable that nothing uses, and the user would take the result for another one.
goals := $(or $(MAKECMDGOALS),help)
taken := $(sort $(foreach goal,$(goals),$(takes_$(goal))))
given := $(sort $(foreach name,$(.VARIABLES),$(if $(filter command,$(firstword $(origin $(name)))),$(name))))
unknown := $(filter-out $(taken) NO_INSTALL CC LLVM DSBENCH% PYTHON PYTEST MAKE% -*%,$(given))
comma := ,
blank := $() $()
listed = $(subst SIZES,SIZES (numbers of elements),$(subst $(blank),$(comma)$(blank),$(strip $(1))))
ifneq ($(unknown),)
$(error make $(goals) does not take $(call listed,$(unknown)): it takes $(call listed,$(taken) NO_INSTALL CC LLVM DSBENCH_CACHE DSBENCH_OUTPUT))
endif

.DEFAULT_GOAL := help
.PHONY: help plots sweep curve seed-tables plot bench-repeat bench-quality gate rust tunnel test test-all test-ci test-debug test-kernels test-kernel-trees test-rust test-mutants lint doctor modules modules_install load unload udptunctl clean distclean

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
	@$(DSBENCH) sweep --yes --draw $(options)

sweep: ## time all containers and tunnels, into results/
	@$(DSBENCH) sweep $(options)

curve: ## time n = 1 to 10^6, fit and draw; resumes after an interruption: [TO= TRIES=]
	@$(DSBENCH) curve $(options)
	@$(DSBENCH) plot "$${DSBENCH_OUTPUT:-.}/results/curve-latest.json"

seed-tables: ## print the tables of the report that this suite follows, and ours: [TRIES=]
	@$(DSBENCH) seed-tables $(options)

plot: ## draw the newest results, into plots/
	@$(DSBENCH) plot

bench-repeat: ## sweep twice, and compare the medians
	@$(DSBENCH) repeat $(options)

bench-quality: ## measure how far the figures of this machine can be trusted
	@$(DSBENCH) quality

gate: ## count instructions; status 3 when code costs more than its baseline: [KERNEL=]
	@$(DSBENCH) gate $(options)

rust: ## compare containers and tunnel in Rust with those in C: [TARGET=uml SIZES= TRIES=]
	@$(DSBENCH) rust --yes $(options)

tunnel: ## measure latency and throughput of udptun and its peers: [ROUNDS=5]
	@$(DSBENCH) tunnel $(options)

test: ## every test, in guests too, each case on one kernel at least
	@$(DSBENCH) install --yes base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) -m 'not matrix and not kernels and not kernel_trees and not rust' harness/tests

test-all: ## every test on every kernel that it is for
	@$(DSBENCH) install --yes base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) -m 'not kernels and not kernel_trees and not rust' harness/tests

test-ci: ## what CI runs: test-rust without making the build root, then test
	@$(DSBENCH) install --yes base plot uml qemu tunnel tunnel-extra test lint
	@$(PYTEST) -rs -m rust harness/tests
	@$(MAKE) test --no-print-directory

test-debug: ## the KUnit suites and the tunnel's cases on the debug kernel
	@$(DSBENCH) install --yes base uml tunnel tunnel-extra test
	@$(PYTEST) -m debug harness/tests

test-kernels: ## build kernels with planted faults, and find these
	@$(DSBENCH) install --yes base plot kernel qemu tunnel test
	@$(PYTEST) -m kernels harness/tests

test-kernel-trees: ## build, boot and measure kernels of every version, by gcc and by clang (1 hour)
	@$(DSBENCH) install --yes base plot kernel qemu test compilers
	@$(PYTEST) -m kernel_trees harness/tests

test-rust: ## containers and tunnel in Rust: KUnit cases, failed allocations, network cases
	@$(DSBENCH) install --yes base plot qemu tunnel test lint
	@$(DSBENCH) build --target qemu --kernel rust
	@$(PYTEST) -m rust harness/tests

test-mutants: ## plant faults one at a time: which test notices each? (8 minutes)
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
	@$(DSBENCH) load $(options)

unload: ## remove the modules from the running kernel (root)
	@$(DSBENCH) unload

udptunctl: ## build build/udptunctl, the tool for udptun tunnels, and ip's plugin
	@$(DSBENCH) tools

clean: ## remove build/; harness/dsbench clean --cache removes the kernels, too
	@$(DSBENCH) clean

distclean: clean ## clean, and remove the results and pictures of this machine
	@find results -mindepth 1 -maxdepth 1 ! -name reference ! -name README.md -exec rm -r {} +
	@rm -f plots/*.svg plots/*.png
	@find harness -name __pycache__ -prune -exec rm -r {} +
