# Tasks of this project. `just` lists them; `just check` is what to run before a commit.

bin := ".venv/bin"

# List the tasks
default:
    @just --list --unsorted

# Format, lint, types and the fast tests: run it before a commit
check:
    {{bin}}/ruff format --check .
    {{bin}}/ruff check .
    {{bin}}/mypy
    {{bin}}/pytest -q -n 3 --dist loadfile --no-loadscope-reorder -m "not slow and not system"

# Tests, all by default: `just test tests/apps/reports -k stats`
test *arguments:
    {{bin}}/pytest -q {{arguments}}

# The slow tests: properties with many examples, long lives of a database
slow *arguments:
    {{bin}}/pytest -q -m slow {{arguments}}

# All that is left to chance, ten times as often
thorough *arguments:
    TEST_THOROUGH=10 {{bin}}/pytest -q -n 3 --dist loadfile --no-loadscope-reorder {{arguments}}

# The tests that start whole systems
system *arguments:
    {{bin}}/pytest -q -m system {{arguments}}

# The tests that need a Chromium
browser *arguments:
    {{bin}}/pytest -q tests/browser {{arguments}}

# Throughput and latency; needs wrk
bench *arguments:
    {{bin}}/python -m tests.benchmarks {{arguments}}

# Run the whole system here: ingestion on port 3000, reporting on 3001
up *arguments:
    {{bin}}/tjra up {{arguments}}

# PostgreSQL's shell on the database of `just up`
psql *arguments:
    {{bin}}/tjra psql {{arguments}}

# Format, and fix what the linter can fix
fmt:
    {{bin}}/ruff format .
    {{bin}}/ruff check --fix .
