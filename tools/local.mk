# Files of tools/.
EXTRA_DIST += tools/debian-packages tools/Lint.pm tools/check-docs \
	tools/check-layers tools/check-man tools/check-mutants tools/check-size tools/check-words \
	tools/clean-root tools/make-ops-fixture
