# Files of src/op.
