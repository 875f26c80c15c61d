EXTRA_DIST += docs/architecture.md docs/citations.md docs/lifecycle.md docs/operations.md \
	docs/protocol.md docs/reliability.md docs/store.md
