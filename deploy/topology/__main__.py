"""See the package."""

import argparse
import sys
import time

from deploy.topology.processes import MissingProgramError
from deploy.topology.smoke import walk
from deploy.topology.topology import topology


def main() -> int:
    parser = argparse.ArgumentParser(prog="deploy.topology", description=__doc__)
    parser.add_argument("--stay", action="store_true", help="stays up until Ctrl-C")
    options = parser.parse_args()
    try:
        with topology() as place:
            place.start_prometheus()
            for line in walk(place):
                print(f"  ok  {line}")
            print(f"http://127.0.0.1:{place.nginx_port}/api/v1/  (files: {place.folder})")
            while options.stay:
                time.sleep(1)
    except MissingProgramError as error:
        print(error, file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        pass
    return 0


sys.exit(main())
