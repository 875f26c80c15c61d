# Files of tools/.
EXTRA_DIST += tools/debian-packages
