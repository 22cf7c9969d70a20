"""Benchmarks of the simulated robot; `make bench` runs them."""
