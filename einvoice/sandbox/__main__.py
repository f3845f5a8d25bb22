"""``python -m einvoice.sandbox``."""

import sys

from .program import main

sys.exit(main())
