#!/usr/bin/env bash
# The test run behind `make test`: first the core with the JIT disabled (overflow raises, branches are counted), then every
# test as users run it. The last line printed is pytest's own summary; any of the three verdicts fails the run.
# Settings come from the Makefile: VENV, CORE_TESTS, CORE_ROOMS, COVERAGE_FLOOR, TEST_JOBS, TEST_ARGS.
set -euo pipefail
cd "$(dirname "$0")/.."

python=$VENV/bin/python
verdict=0
read -ra test_args <<<"${TEST_ARGS:-}"
common=(-p no:cacheprovider -n "$TEST_JOBS" ${test_args[@]+"${test_args[@]}"})

core_tests=()
for folder in $CORE_TESTS; do
  if [[ -e $folder ]]; then core_tests+=("$folder"); fi
done
rooms=()
for room in $CORE_ROOMS; do
  if [[ -d src/paperdesk/$room ]]; then rooms+=("src/paperdesk/$room/*"); fi
done

if ((${#core_tests[@]} && ${#rooms[@]})); then
  echo "== the core with the JIT disabled, under branch coverage: ${core_tests[*]}"
  mkdir -p build/coverage
  "$python" -m coverage erase
  NUMBA_DISABLE_JIT=1 "$python" -m coverage run -m pytest -q "${common[@]}" "${core_tests[@]}" || verdict=1
  "$python" -m coverage combine --quiet
  include=$(IFS=,; echo "${rooms[*]}")
  if ! "$python" -m coverage report --include="$include" --fail-under="$COVERAGE_FLOOR"; then
    echo "make test: branch coverage of the core is below its floor of $COVERAGE_FLOOR %; the uncovered lines are listed above." >&2
    verdict=1
  fi
fi

echo "== every test"
status=0
"$python" -m pytest -q "${common[@]}" tests || status=$?
if ((status == 0 && verdict != 0)); then
  echo "make test: the last run passed, but the run of the core above did not." >&2
fi
exit $((status ? status : verdict))
