"""A machine that boots from its own disk: what it is made of. Root on Debian only."""
