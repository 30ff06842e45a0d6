"""Runs first in a built client: a library's functions are bound when they are called, which the builder counts on."""

import os
import sys

if sys.platform == "linux":
    sys.setdlopenflags(os.RTLD_LAZY)
