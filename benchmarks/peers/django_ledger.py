"""django-ledger's invoices, created and approved by its models, as its quick start does.

The number is taken in a transaction of its own, on which django-ledger insists; what follows shares another.
"""

import benchmarks.peers.django_project  # noqa: F401 - Django's models can be imported only after it.

# isort: split
from django.contrib.auth import get_user_model
from django.core.management import call_command
from django.db import transaction
from django_ledger.io import roles
from django_ledger.models import EntityModel, InvoiceModel, ItemModel

from benchmarks.peers.turns import IssueInvoices, run

ENTITY = "Larkfield Market Ltd"
USER = "ana"
LINES = 5


def set_up() -> None:
    """An entity on accruals with the default chart of accounts, a customer and services to invoice."""
    call_command("migrate", verbosity=0)
    user = get_user_model().objects.create_user(USER)
    entity = EntityModel.create_entity(name=ENTITY, admin=user, use_accrual_method=True, fy_start_month=1)
    chart = entity.create_chart_of_accounts(assign_as_default=True, commit=True, coa_name="Accounts")
    entity.populate_default_coa(activate_accounts=True, coa_model=chart)
    entity.create_customer({"customer_name": "Marigold Tansy-Okafor", "description": "A customer"})
    unit = entity.create_uom(name="Hour", unit_abbr="h")
    accounts = entity.get_default_coa_accounts()
    for number in range(LINES):
        # EntityModel.create_item_service fails with the default chart, which has several accounts of costs.
        service = ItemModel(
            entity=entity,
            name=f"Engraving {number}",
            uom=unit,
            item_role=ItemModel.ITEM_ROLE_SERVICE,
            item_type=ItemModel.ITEM_TYPE_LABOR,
            for_inventory=False,
            is_product_or_service=True,
            earnings_account=accounts.get(role=roles.INCOME_OPERATIONAL, role_default=True),
            cogs_account=accounts.get(role=roles.COGS_REGULAR, role_default=True),
        )
        service.full_clean()
        service.save()


def _issuing() -> IssueInvoices:
    user = get_user_model().objects.get(username=USER)
    entity = EntityModel.objects.get(name=ENTITY)
    customer = entity.get_customers().get()
    items = {
        service.item_number: {"unit_cost": 40.0, "quantity": float(hours), "total_amount": 40.0 * hours}
        for hours, service in enumerate(entity.get_items_services(), start=1)
    }

    def issue() -> list[str]:
        invoice = entity.create_invoice(customer_model=customer, terms=InvoiceModel.TERMS_NET_30)
        with transaction.atomic():
            invoice.migrate_itemtxs(items, operation=InvoiceModel.ITEMIZE_APPEND, commit=True)
            invoice.mark_as_review(commit=True)
            invoice.mark_as_approved(entity_slug=entity.slug, user_model=user, commit=True)
        return [invoice.invoice_number]

    return issue


if __name__ == "__main__":
    run(set_up, {"one-by-one": _issuing})
