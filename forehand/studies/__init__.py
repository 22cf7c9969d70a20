"""Studies: measurements over many runs whose tables stand in the docs; one command each."""
