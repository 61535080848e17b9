"""A test lab for the pexip.infinity collection: a simulated AWS account and Pexip Infinity platform."""
