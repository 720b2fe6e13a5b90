"""The rows: nouns only. Statements that change them live in ``engine/``."""

from .change import Change
from .execution import Execution
from .job import Job
from .lease import Lease
from .node import Node
from .notice import Notice
from .tally import Tally, TallyMark, TallyOpen
from .term import Term
from .trend import Trend

# The names of django-apscheduler, so that its users change only an import line.
DjangoJob = Job
DjangoJobExecution = Execution

__all__ = [
    "Change",
    "DjangoJob",
    "DjangoJobExecution",
    "Execution",
    "Job",
    "Lease",
    "Node",
    "Notice",
    "Tally",
    "TallyMark",
    "TallyOpen",
    "Term",
    "Trend",
]
