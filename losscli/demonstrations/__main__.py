"""`python -m losscli.demonstrations`: train every stored demonstration anew, and keep its curves."""

from losscli.demonstrations import demonstrations
from losscli.demonstrations.stored import FILE, Stored, written

if __name__ == "__main__":
    FILE.write_text(written(item for item in demonstrations if isinstance(item, Stored)), "utf-8")
    print(f"written: {FILE}")
