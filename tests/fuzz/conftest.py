"""The modules of this folder find each other, as they do where the driver is run alone."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
collect_ignore = ["corpus"]
