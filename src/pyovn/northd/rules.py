"""The rules of all features, for the families."""

from pyovn.northd.feature import RuleBook
from pyovn.northd.features import FEATURES

RULES = RuleBook(FEATURES)
