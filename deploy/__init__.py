"""What LexiFlow is run with, and a topology that runs all of it on one machine."""
