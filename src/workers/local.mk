# Files of src/workers.
