"""Customers' payments and their receipts."""
