"""What Prometheus reads: the page, and what is only counted when it is read."""
