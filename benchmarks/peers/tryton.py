"""Tryton's customer invoices, drafted and posted by the models of its server, as its own modules do.

Neither HTTP nor a client's form is in the way. With `queue.worker` on, Tryton leaves the report of a posted
invoice to workers, as a busy server would have it; there is none here, so that its cost is not counted.
"""

import datetime
import os
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeVar

# Tryton reads its settings when it is imported; where the server is, libpq's own variables tell it.
os.environ["TRYTOND_DATABASE__URI"] = "postgresql:///"
os.environ["TRYTOND_QUEUE__WORKER"] = "True"

from proteus import Model
from proteus import config as client
from trytond import backend
from trytond.modules.account.tests.tools import create_chart, create_fiscalyear, create_tax, get_accounts
from trytond.modules.account_invoice.tests.tools import create_payment_term, set_fiscalyear_invoice_sequences
from trytond.modules.company.tests.tools import create_company
from trytond.pool import Pool
from trytond.transaction import Transaction, TransactionError

from benchmarks.peers.turns import IssueInvoices, run

ADMIN = Path(sys.executable).with_name("trytond-admin")
DATABASE = os.environ["PGDATABASE"]
CUSTOMER = "Marigold Tansy-Okafor"
LINES = 5
TOGETHER = 20

T = TypeVar("T")


def set_up() -> None:
    """A company with a chart of accounts, an open year with strict sequences, a tax, a customer, products."""
    _make_tables()
    client.set_trytond(f"postgresql:///{DATABASE}")
    create_company()
    create_chart()
    year = set_fiscalyear_invoice_sequences(create_fiscalyear())
    year.click("create_period")
    tax = create_tax(Decimal("0.20"))
    tax.save()
    term = create_payment_term()
    term.save()
    customer = Model.get("party.party")(name=CUSTOMER)
    customer.customer_payment_term = term
    customer.save()
    accounts = get_accounts()
    category = Model.get("product.category")(name="Kitchenware", accounting=True)
    category.account_expense = accounts["expense"]
    category.account_revenue = accounts["revenue"]
    category.customer_taxes.append(tax)
    category.save()
    (unit,) = Model.get("product.uom").find([("name", "=", "Unit")])
    for number in range(LINES):
        product = Model.get("product.template")(name=f"Kettle {number}", type="goods", default_uom=unit)
        product.list_price = Decimal("40")
        product.account_category = category
        product.save()


def _make_tables() -> None:
    """Tryton's own command initialises a database and activates a module with what it needs."""
    with tempfile.TemporaryDirectory() as folder:
        password = Path(folder) / "password"
        password.write_text(secrets.token_urlsafe())
        modules = ["-u", "account_invoice", "--activate-dependencies"]
        subprocess.run(
            [str(ADMIN), "-d", DATABASE, *modules, "--email", "ana@example.org"],
            env={**os.environ, "TRYTONPASSFILE": str(password)},
            check=True,
        )


class Books:
    """The company's books in this process, as the administrator sees them."""

    def __init__(self) -> None:
        Pool.start()
        self._pool = Pool(DATABASE)
        self._pool.init()
        self._user, self._context = 0, {}
        User = self._pool.get("res.user")  # noqa: N806 - Tryton's models are classes.
        (self._user,) = self.committed(lambda: [user.id for user in User.search([("login", "=", "admin")])])
        self._context = self.committed(lambda: User.get_preferences(context_only=True))
        self._customer = self._ids("party.party", [("name", "=", CUSTOMER)])[0]
        self._products = self._ids("product.product", [])

    def issue(self, together: int) -> list[str]:
        """Saves so many drafts in one transaction and posts them in another; the numbers they got."""
        drafted = self.committed(lambda: self._draft(together))
        return self.committed(lambda: self._post(drafted))

    def committed(self, work: Callable[[], T]) -> T:
        """What `work` gives in a transaction of its own, run as Tryton's server runs a request.

        A strict sequence has to be locked when the transaction starts: one that finds out only later which
        sequence it needs is rolled back and started anew with that lock, as often as it takes.
        """
        locks: dict[str, Any] = {}
        while True:
            try:
                with Transaction().start(DATABASE, self._user, context=self._context, **locks) as transaction:
                    try:
                        return work()
                    except TransactionError as error:
                        transaction.rollback()
                        error.fix(locks)
            except backend.DatabaseOperationalError:
                # Another process has held the sequence for longer than the server's own five tries took; its
                # user would click again.
                continue

    def _draft(self, count: int) -> list[int]:
        Invoice = self._pool.get("account.invoice")  # noqa: N806
        invoices = [self._unsaved() for _ in range(count)]
        Invoice.save(invoices)
        Invoice.update_taxes(invoices)
        return [invoice.id for invoice in invoices]

    def _unsaved(self) -> Any:
        Invoice = self._pool.get("account.invoice")  # noqa: N806
        Line = self._pool.get("account.invoice.line")  # noqa: N806
        invoice = Invoice(type="out", company=self._context["company"], party=self._customer)
        invoice.invoice_date = datetime.date.today()  # noqa: DTZ011 - Tryton's dates are local ones.
        invoice.currency = invoice.default_currency()
        invoice.on_change_type()
        invoice.on_change_party()
        lines = []
        for quantity, product in enumerate(self._products, start=1):
            line = Line(type="line", invoice_type="out", company=invoice.company, currency=invoice.currency)
            line.party, line.product, line.quantity = invoice.party, product, quantity
            line.on_change_product()
            line.unit_price = Decimal("40")
            lines.append(line)
        invoice.lines = lines
        return invoice

    def _post(self, ids: list[int]) -> list[str]:
        Invoice = self._pool.get("account.invoice")  # noqa: N806
        invoices = Invoice.browse(ids)
        Invoice.post(invoices)
        return [invoice.number for invoice in invoices]

    def _ids(self, model: str, domain: list[tuple[str, str, Any]]) -> list[int]:
        Named = self._pool.get(model)  # noqa: N806
        return self.committed(lambda: [record.id for record in Named.search(domain)])


def _issuing(together: int) -> IssueInvoices:
    books = Books()
    return lambda: books.issue(together)


if __name__ == "__main__":
    run(set_up, {"one-by-one": lambda: _issuing(1), "in-batches": lambda: _issuing(TOGETHER)})
