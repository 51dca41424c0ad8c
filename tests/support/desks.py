"""By whose policies documents are planned in tests: those that are packaged."""

from application.desk import Desk
from application.document_policies import document_policies
from application.intake.intake import Reading
from tests.support.facts import FINGERPRINT

DESK = Desk(document_policies(), "default")
READING = Reading(FINGERPRINT, DESK)
