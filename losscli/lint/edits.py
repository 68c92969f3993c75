"""Edits."""
def edits_of(source, tree, edits):
    return []
