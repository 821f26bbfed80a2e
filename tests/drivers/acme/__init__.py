"""A driver package that is not ours: what ``driver_package.install`` puts outside of the tree, as files."""
