"""What tools run inside the seal, called by name with JSON. Standard library and data libraries."""
