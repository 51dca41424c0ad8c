"""The shapes of answers, built from read-model rows; one module a room."""
