"""One package a country; `generic` serves every country without a driver of its own."""
