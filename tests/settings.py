"""The product's own settings, read in the environment of the tests."""

from tests import environment  # noqa: F401, I001
from exodash.settings import *  # noqa: F403
