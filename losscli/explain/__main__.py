"""`python -m losscli.explain`: ask every loss of the package anew, and keep what is found (facts.py)."""

from losscli.explain.catalogue import computed
from losscli.explain.facts import FILE, store
from losscli.losses import catalogue

if __name__ == "__main__":
    store({f"{item.task}/{item.name}": computed(item) for item in catalogue() if item.is_in_package})
    print(f"written: {FILE}")
