"""A small LTE synthesis of stellar spectra, from the Saha equation to the emergent flux."""
