# Files of src/proto.
