# Files of src/api.
