"""`ray job submit --working-dir . -- python jobs/build.py [conf/build.yaml] [key=value ...]`."""

import sys

from mht.cli import main

if __name__ == "__main__":
    sys.exit(main(["build", *sys.argv[1:]]))
