# Files of src/ctl.
