"""localstripe on this machine alone, and without its file in the folder for temporary files.

    python localstripe_loopback.py PORT      (with: pip install localstripe)
"""
import sys

import localstripe.resources as resources
from aiohttp import web

# The stock server writes its store into one file at every change, and reads it at the next start.
resources.Store.dump_to_disk = lambda self: None
from localstripe.server import app  # noqa: E402

# The stock server listens on every interface.
web.run_app(app, host="127.0.0.1", port=int(sys.argv[1]), print=None)
