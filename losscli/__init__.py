"""losscli: pick the right loss for your data, prove it, and catch the wrong one."""
