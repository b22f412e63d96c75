"""Programs that try to break the project: faults, mutants, kills, a lost cluster; and their figures."""
