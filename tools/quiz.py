"""What a class learned: the quiz's answers before and after the course, item by item.

python tools/quiz.py --before runs/*/quiz-before.csv --after runs/*/quiz-after.csv
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import viz
from mfa.errors import InputError


def main() -> int:
    """Print the table; 2 where a file holds no answers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--before", type=Path, nargs="+", required=True)
    parser.add_argument("--after", type=Path, nargs="+", required=True)
    options = parser.parse_args()
    try:
        table = viz.lessons.quiz_difference(options.before, options.after)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(table.to_string(float_format="{:.0%}".format, max_colwidth=60))
    return 0


if __name__ == "__main__":
    sys.exit(main())
