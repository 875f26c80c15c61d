# Files of src/fetch.
