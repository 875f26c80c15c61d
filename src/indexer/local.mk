# Files of src/indexer.
