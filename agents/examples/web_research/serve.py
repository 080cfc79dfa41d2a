#!/usr/bin/env python3
"""Serves site/ on a free port of this machine while a command runs: serve.py COMMAND [ARGUMENT]...

`{site}` in an argument becomes the site's address. Ends with the command's exit code.
"""

import functools
import http.server
import subprocess
import sys
import threading
from pathlib import Path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_):
        pass


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    handler = functools.partial(Quiet, directory=Path(__file__).resolve().parent / "site")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        site = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            code = subprocess.run([word.replace("{site}", site) for word in sys.argv[1:]]).returncode
        except KeyboardInterrupt:  # the command got it as well and has ended
            code = 130
        server.shutdown()
    sys.exit(code)


if __name__ == "__main__":
    main()
