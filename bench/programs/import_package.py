"""All of Unlatch's modules as a function finds them: in a folder of their own, which nothing may be written to."""

import importlib
import os
import pkgutil
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.environ["PACKAGE"])
library = importlib.import_module("chalicelib")
assert str(library.__path__[0]).startswith(os.environ["PACKAGE"]), "it is the package's"
for module in pkgutil.walk_packages(library.__path__, "chalicelib."):
    importlib.import_module(module.name)
