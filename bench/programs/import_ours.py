"""All that the largest function loads: the app, and every module below it, which the app loads on use."""

import importlib
import pkgutil

import app
import chalicelib

assert app.app
for module in pkgutil.walk_packages(chalicelib.__path__, "chalicelib."):
    importlib.import_module(module.name)
