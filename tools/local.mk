# Files of tools/.
