# Files of src/atproto.
