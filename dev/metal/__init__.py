"""Metal in a box: blank machines in software emulation, installed and started by the whole chain, which is real."""
