"""`ray job submit --working-dir . -- python jobs/evaluate.py [conf/evaluate.yaml] [key=value ...]`."""

import sys

from mht.cli import main

if __name__ == "__main__":
    sys.exit(main(["evaluate", *sys.argv[1:]]))
