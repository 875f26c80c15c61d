# Files of etc/.
