"""The same graph behind other servers, each as its own documentation shows it: MODEL PORT."""
