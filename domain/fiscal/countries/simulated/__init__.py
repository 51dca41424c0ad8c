"""GENERIC: the rules where no country driver knows better."""
