# The developer's commands. Each sets up .venv by itself (tests/tools/venv.sh); `make help` lists them.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory

# Nothing of the caller's own Python or Ansible set-up reaches the tools.
unexport PYTHONPATH VIRTUAL_ENV ANSIBLE_COLLECTIONS_PATH ANSIBLE_CONFIG ANSIBLE_HOME
export PATH := $(CURDIR)/.venv/bin:$(PATH)

# One lab runs in each pytest process; playbook, lab and the waits between them keep about two thirds of a core busy.
WORKERS ?= 3
PYTEST_ARGS ?=
LAB ?= .lab
export PYTHON KEEP LAB WORKERS PYTEST_ARGS QUICK
REPORTS := .cache/reports

.PHONY: help demo test lint sanity units integration molecule runner resilience iam bench lab-up lab-down clean venv stage

help: ## list these commands
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/\1|\2/p' Makefile | while IFS='|' read -r name text; do printf '  make %-12s %s\n' "$$name" "$$text"; done

demo: venv ## a bursting platform in a simulated AWS account, from nothing (KEEP=1 leaves it up)
	@tests/tools/demo.sh

test: venv ## everything below down to molecule, and the quick parts of molecule and resilience; about 20 minutes on two cores
	@tests/tools/test.sh

lint: venv stage ## ansible-lint, ruff, changelog, documentation, galaxy-importer, coverage table, project laws
	@tests/tools/lint.sh

sanity: venv stage ## ansible-test sanity, without ignore entries
	@python tests/tools/sanity.py

units: venv ## unit tests, and the lab's own tests
	@pytest tests/unit $(wildcard tests/lab/tests) -n $(WORKERS) --dist loadfile --junitxml=$(REPORTS)/units.xml $(PYTEST_ARGS)

integration: venv ## playbooks and modules against the lab
	@pytest tests/integration -n $(WORKERS) --dist loadfile --no-loadscope-reorder --junitxml=$(REPORTS)/integration.xml $(PYTEST_ARGS)

molecule: venv ## every role's scenario, and that of a project that reuses roles, some at a time (ROLE=name for one; QUICK=1: without the side effects, the part that `make test` runs)
	@tests/tools/molecule.sh $(ROLE)

runner: venv ## every playbook of the built collection under ansible-runner, as AWX runs it (QUICK=1: job slices alone)
	@tests/tools/runner.sh

resilience: venv ## the attacks: kills, faults, bad input, calls, secrets (QUICK=1: the part that `make test` runs; PEXIP_TEST_SEED=number: the same again)
	@tests/tools/resilience.sh

iam: venv ## docs/iam anew: every playbook's least IAM policy, from what it asks the lab's account for
	@rm -rf .cache/iam && mkdir -p .cache/iam
	@PEXIP_IAM_RECORD=$(CURDIR)/.cache/iam pytest tests/resilience/test_iam_policies.py -n $(WORKERS) $(PYTEST_ARGS)
	@python tests/tools/iam_policies.py --record .cache/iam

bench: venv ## the performance claims, measured
	@python tests/benchmarks/bench.py

lab-up: venv ## start a lab in .lab (LAB=directory for another; SEED=platform, nodes, hybrid, bursting or by-hand for one that is not empty)
	@pexip-lab up --state $(LAB) $(if $(SEED),--seed $(SEED))
	@printf 'Now: eval "$$(%s env --state %s)"\n' .venv/bin/pexip-lab $(LAB)

lab-down: venv ## stop it
	@pexip-lab down --state $(LAB)

clean: ## stop the labs of this directory and remove everything made here, .venv too
	@for state in .lab* .cache/molecule/*/lab .cache/molecule/reuse/video/.molecule/lab; do \
		if [ -d "$$state" ] && [ -x .venv/bin/pexip-lab ]; then pexip-lab down --state "$$state"; fi; done
	@rm -rf .venv .cache .lab* .ansible .pytest_cache .ruff_cache .hypothesis tests/output *.tar.gz
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

venv:
	@tests/tools/venv.sh

stage:
	@tests/tools/stage.sh
