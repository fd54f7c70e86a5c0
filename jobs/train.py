"""`ray job submit --working-dir . -- python jobs/train.py [conf/train.yaml] [key=value ...]`."""

import sys

from mht.cli import main

if __name__ == "__main__":
    sys.exit(main(["train", *sys.argv[1:]]))
